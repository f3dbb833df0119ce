with batches as (

    select * from {{ ref('stg_operations__extract_batches') }}

),

-- a table whose batch failed may be tried again in the same run: the last try counts
attempts as (

    select
        extract_run_id,
        batch_status,
        rows_loaded,
        started_at,
        finished_at,
        changed_at,
        row_number() over (
            partition by extract_run_id, source_name, table_name
            order by batch_id desc
        ) as attempt_rank
    from batches

),

counted as (

    select
        extract_run_id,
        min(started_at) as started_at,
        max(finished_at) as finished_at,
        max(changed_at) as changed_at,
        sum(rows_loaded) as rows_loaded,
        sum(case when attempt_rank = 1 and batch_status = 'running' then 1 else 0 end)
            as tables_running,
        sum(case when attempt_rank = 1 and batch_status = 'loaded' then 1 else 0 end)
            as tables_loaded,
        sum(case when attempt_rank = 1 and batch_status = 'failed' then 1 else 0 end)
            as tables_failed,
        sum(case when attempt_rank = 1 and batch_status = 'abandoned' then 1 else 0 end)
            as tables_abandoned
    from attempts
    group by extract_run_id

),

final as (

    select
        extract_run_id,
        case
            when tables_abandoned > 0 then 'abandoned'
            when tables_running > 0 then 'running'
            when tables_failed > 0 then 'failed'
            else 'succeeded'
        end as run_status,
        tables_loaded,
        tables_failed + tables_abandoned as tables_failed,
        coalesce(rows_loaded, 0) as rows_loaded,
        started_at,
        finished_at,
        changed_at
    from counted

)

select * from final
