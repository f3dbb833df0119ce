{#
    Whether a value is in a band, as a condition: the lower bound belongs to the band, the upper one
    doesn't; null is open.
#}
{% macro is_in_band(value, band) -%}
    {{ value }} >= {{ band }}.lower_bound
    and ({{ band }}.upper_bound is null or {{ value }} < {{ band }}.upper_bound)
{%- endmacro %}
