{#
    One text key out of several columns, like `dbt_utils.generate_surrogate_key`: the md5 of their
    texts, in hexadecimal. Null and the empty text give different keys, and so do ('a-b', 'c') and
    ('a', 'b-c'): the parts are joined by a control character.

    Without it: `dbt.hash` cuts its input at 8000 characters on SQL Server, so that long keys
    collide; T-SQL's md5 is `hashbytes` and returns bytes.

    The key is the same on both engines for integers, text and dates (in a database with a UTF-8
    collation). Booleans, timestamps, decimals and uuids have another text on each engine: cast
    them first.
#}
{% macro surrogate_key(columns) -%}
    {%- if columns is string or not columns -%}
        {{ exceptions.raise_compiler_error(
            "surrogate_key() takes a list of columns, such as ['film_id', 'actor_id']."
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('surrogate_key', 'medallion')(columns)) }}
{%- endmacro %}

{% macro default__surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as text), chr(30))") -%}
    {%- endfor -%}
    md5({{ parts | join(' || chr(31) || ') }})
{%- endmacro %}

{% macro sqlserver__surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as varchar(max)), char(30))") -%}
    {%- endfor -%}
    lower(convert(varchar(32), hashbytes('md5', {{ parts | join(' + char(31) + ') }}), 2))
{%- endmacro %}
