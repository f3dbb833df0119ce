select
    -- text
    service as service_name,

    -- numerics
    cast(cost_usd as numeric(18, 4)) as cost_usd,

    -- dates
    cost_date

from {{ ref('br_miyabi__infrastructure_costs') }}
where _deleted_at is null
