{#
    dbt's own rule, and one more: a model whose meta says `whole_once_a_day` is built whole by every
    build, but for the refreshes of what landed since another (`tested_batch`). Those go on from its
    rows.

    So such a model need not remember what it was built from, and picks up a change of its logic, a
    seed or the day with the next build, as a table does.
#}
{% macro should_full_refresh() -%}
    {%- if model.config.meta.get('whole_once_a_day') and not medallion.tested_batch() -%}
        {{ return(true) }}
    {%- endif -%}
    {{ return(dbt.should_full_refresh()) }}
{%- endmacro %}
