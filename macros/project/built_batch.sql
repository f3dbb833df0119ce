{#
    The batch up to which facts have all rows already, as scripts/refresh.py says; 0 if it does not.
    A number and no subquery, so that the planner knows how few rows come after it.

    Not while parsing: dbt would read all that asks for it anew whenever the variable changes.
#}
{% macro built_batch() -%}
    {{ return((env_var('MEDALLION_BUILT_BATCH', '') | int) if execute else 0) }}
{%- endmacro %}


{#
    The batch up to which all is built and tested already, in a refresh that builds and tests only
    what landed since; 0 in every other build, the first refresh of a day among them.
#}
{% macro tested_batch() -%}
    {{ return((env_var('MEDALLION_TESTED_BATCH', '') | int) if execute else 0) }}
{%- endmacro %}


{#
    The batch after which a row may have waited for what belongs to it when all rows were tested,
    in such a refresh: it is asked about when it is old enough, and that is within the day.
#}
{% macro waiting_batch() -%}
    {{ return((env_var('MEDALLION_WAITING_BATCH', '') | int) if execute else 0) }}
{%- endmacro %}
