{{ config(error_if='> 10') }}

select
    lower(category_name) as category,
    min(category_name) as one_spelling,
    max(category_name) as another_spelling
from {{ ref('stg_film_catalog__film_categories') }}
where deleted_at is null
group by lower(category_name)
having count(distinct category_name) > 1
