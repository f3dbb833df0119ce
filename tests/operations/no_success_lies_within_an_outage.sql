with outages as (

    select * from {{ ref('fact_pipeline_outage') }}

),

successes as (

    select * from {{ ref('fact_pipeline_run') }}
    where run_status = 'succeeded' and command <> 'source freshness'

)

select
    outages.pipeline,
    outages.failed_at,
    outages.recovered_at,
    successes.pipeline_run_id
from outages
inner join successes on outages.pipeline = successes.pipeline
where
    successes.finished_at > outages.failed_at
    and (successes.finished_at < outages.recovered_at or outages.recovered_at is null)
