{# The categories of films, best first, and the users' rating from which each holds. #}
{% macro film_rating_thresholds() -%}
    {{ return([('Excellent', 4.5), ('Good', 4.0), ('Average', 3.0)]) }}
{%- endmacro %}


{# The category of a rating; below all thresholds it is Poor, without a rating there is none. #}
{% macro film_rating_category(rating) -%}
    case
        when {{ rating }} is null then null
        {%- for category, lowest_rating in film_rating_thresholds() %}
        when {{ rating }} >= {{ lowest_rating }} then '{{ category }}'
        {%- endfor %}
        else 'Poor'
    end
{%- endmacro %}
