-- What landed in the last 24 hours, per table of a source, and what in the 24 hours before. Depends
-- on the moment of asking, so it is no model.
with batches as (

    select * from {{ ref('stg_operations__extract_batches') }}
    where batch_status = 'loaded'

),

recent as (

    select
        source_name,
        table_name,
        rows_loaded,
        rows_deleted,
        rows_restored,
        case
            when finished_at >= {{ dbt.dateadd('hour', -24, current_utc_timestamp()) }} then 1
            else 0
        end as is_since_yesterday
    from batches
    where finished_at >= {{ dbt.dateadd('hour', -48, current_utc_timestamp()) }}

),

final as (

    select
        source_name,
        table_name,
        sum(is_since_yesterday * rows_loaded) as rows_landed,
        sum(is_since_yesterday * rows_deleted) as rows_deleted,
        sum(is_since_yesterday * rows_restored) as rows_restored,
        sum((1 - is_since_yesterday) * rows_loaded) as rows_landed_before,
        sum((1 - is_since_yesterday) * rows_deleted) as rows_deleted_before,
        sum((1 - is_since_yesterday) * rows_restored) as rows_restored_before
    from recent
    group by source_name, table_name

)

select * from final
