-- Otherwise somebody would be in no segment.
select min(lower_bound) as lowest_bound
from {{ ref('customer_segments') }}
having
    min(lower_bound) is null
    or min(lower_bound) <> 0
