select
    -- ids
    source.sales_order_id,
    source.customer_id,
    source.sales_person_id,
    source.territory_id,
    cast(source.status as integer) as order_status_id,

    -- text
    source.sales_order_number,
    nullif(trim(source.purchase_order_number), '') as purchase_order_number,
    statuses.order_status,
    nullif(trim(source.comment), '') as order_comment,

    -- numerics
    cast(source.revision_number as integer) as revision_number,
    cast(source.sub_total as numeric(18, 4)) as sub_total,
    cast(source.tax_amt as numeric(18, 4)) as tax_amt,
    cast(source.freight as numeric(18, 4)) as freight,
    cast(source.total_due as numeric(18, 4)) as total_due,

    -- booleans
    source.online_order_flag as is_online,
    {{ to_boolean(is_true('statuses.is_sale')) }} as is_sale,

    -- dates
    cast(source.order_date as date) as order_date,

    -- timestamps
    cast(source.order_date as {{ dbt.type_timestamp() }}) as ordered_at,
    cast(source.due_date as {{ dbt.type_timestamp() }}) as due_at,
    cast(source.ship_date as {{ dbt.type_timestamp() }}) as shipped_at,
    cast(source.modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('source._deleted_at') }} as deleted_at,

    -- batch
    source._batch_id

from {{ ref('br_adventureworks__sales_order_header') }} as source
left join {{ ref('order_statuses') }} as statuses
    on source.status = statuses.order_status_id
