with runs as (

    select * from {{ ref('fact_pipeline_run') }}
    where run_status in ('succeeded', 'failed')

),

nodes as (

    select
        pipeline_run_id,
        case when node_status = 'skipped' then 1 else 0 end as is_skipped
    from {{ ref('fact_node_run') }}
    union all
    select
        pipeline_run_id,
        case when test_status = 'skipped' then 1 else 0 end as is_skipped
    from {{ ref('fact_test_result') }}

),

counted as (

    select
        pipeline_run_id,
        count(*) as nodes,
        sum(is_skipped) as nodes_skipped
    from nodes
    group by pipeline_run_id

)

select
    runs.pipeline_run_id,
    counted.nodes,
    counted.nodes_skipped,
    runs.steps_skipped
from runs
inner join counted on runs.pipeline_run_id = counted.pipeline_run_id
where
    counted.nodes
    <> runs.steps_passed + runs.steps_warned + runs.steps_failed + runs.steps_skipped
    or counted.nodes_skipped <> runs.steps_skipped
