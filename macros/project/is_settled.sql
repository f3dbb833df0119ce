{#
    Whether a row was written long enough ago that what belongs to it must have landed, too: the
    variable settled_after_hours, after which the freshness of orders is an error.

    Without it: tables are read one after the other. An order that is placed meanwhile has no lines
    yet, or its lines have no order, and one such order would keep all sales out of gold. So would
    the first rental of a customer who registers meanwhile. A row that says no moment is settled.
#}
{% macro is_settled(updated_at) -%}
    ({{ updated_at }} is null or {{ updated_at }} < {{
        dbt.dateadd('hour', -(var('settled_after_hours') | int), medallion.current_utc_timestamp()) | trim
    }})
{%- endmacro %}
