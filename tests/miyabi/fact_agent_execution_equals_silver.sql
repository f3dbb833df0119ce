{{ config(group='engineering') }}

with silver as (

    select * from {{ ref('int_agent_runs_costed') }}

),

facts as (

    select * from {{ ref('fact_agent_execution') }}

)

select
    silver.run_id as silver_run_id,
    facts.run_id as fact_run_id
from silver
full join facts on silver.run_id = facts.run_id
where
    silver.run_id is null
    or facts.run_id is null
    or silver.is_successful <> facts.is_successful
    or silver.is_cost_estimated <> facts.is_cost_estimated
    or coalesce(silver.cost_usd, -1) <> coalesce(facts.cost_usd, -1)
