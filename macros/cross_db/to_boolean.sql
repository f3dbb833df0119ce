{#
    A condition as a boolean column that is never null: unknown is false.

    Without it: T-SQL has no boolean values, so `select a > b as is_late` is a syntax error there.
#}
{% macro to_boolean(condition) -%}
    case
        when {{ condition }} then {{ medallion.bool_literal(true) }}
        else {{ medallion.bool_literal(false) }}
    end
{%- endmacro %}
