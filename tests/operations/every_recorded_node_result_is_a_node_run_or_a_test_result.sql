with recorded as (

    select
        results.invocation_id,
        results.unique_id
    from {{ ref('br_operations__dbt_node_results') }} as results
    inner join {{ ref('stg_operations__dbt_invocations') }} as invocations
        on results.invocation_id = invocations.invocation_id
    where invocations.invocation_status <> 'running'

),

facts as (

    select
        pipeline_run_id,
        unique_id
    from {{ ref('fact_node_run') }}
    union all
    select
        pipeline_run_id,
        unique_id
    from {{ ref('fact_test_result') }}

)

select
    recorded.invocation_id,
    recorded.unique_id as recorded_unique_id,
    facts.pipeline_run_id,
    facts.unique_id as fact_unique_id
from recorded
full join facts
    on recorded.invocation_id = facts.pipeline_run_id and recorded.unique_id = facts.unique_id
where recorded.unique_id is null or facts.unique_id is null
