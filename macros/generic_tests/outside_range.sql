{#
    The condition under which a value is outside a range: what the generic tests with min_value and
    max_value share. A null value is not outside. One of the bounds can be left open, not both.
#}
{% macro outside_range(value, min_value, max_value, inclusive=true) -%}
    {%- set equal = '' if inclusive else '=' -%}
    {%- set conditions = [] -%}
    {%- if min_value is not none -%}
        {%- do conditions.append(value ~ ' <' ~ equal ~ ' ' ~ min_value) -%}
    {%- endif -%}
    {%- if max_value is not none -%}
        {%- do conditions.append(value ~ ' >' ~ equal ~ ' ' ~ max_value) -%}
    {%- endif -%}
    {%- if not conditions -%}
        {{ exceptions.raise_compiler_error(
            "The range test of " ~ value ~ " needs min_value, max_value or both."
        ) }}
    {%- endif -%}
    {{ conditions | join(' or ') }}
{%- endmacro %}
