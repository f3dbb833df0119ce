select
    -- ids
    source.transaction_id,
    source.customer_id,

    -- text
    cast(
        coalesce(types.transaction_type, 'Unknown') as {{ dbt.type_string() }}
    ) as transaction_type,
    cast(
        coalesce(nullif(lower(trim(source.payment_method)), ''), 'unknown')
        as {{ dbt.type_string() }}
    ) as payment_method,
    cast(
        coalesce(nullif(lower(trim(source.channel)), ''), 'unknown')
        as {{ dbt.type_string() }}
    ) as channel,
    cast(
        coalesce(statuses.transaction_status, 'Unknown') as {{ dbt.type_string() }}
    ) as transaction_status,

    -- numerics
    cast(source.amount as numeric(18, 2)) as amount,
    cast(coalesce(source.fee, 0) as numeric(18, 2)) as fee,
    cast(coalesce(source.tax, 0) as numeric(18, 2)) as tax,

    -- booleans
    {{ to_boolean(is_true('statuses.is_completed')) }} as is_completed,
    {{ to_boolean(is_true('types.is_refund')) }} as is_refund,

    -- timestamps
    cast(source.transaction_date as {{ dbt.type_timestamp() }}) as transacted_at,
    cast(source.updated_at as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('source._deleted_at') }} as deleted_at,

    -- batch
    source._batch_id

from {{ ref('br_storefront__transactions') }} as source
left join {{ ref('storefront_transaction_types') }} as types
    on lower(trim(source.transaction_type)) = types.type_code
left join {{ ref('storefront_transaction_statuses') }} as statuses
    on lower(trim(source.status)) = statuses.status_code
