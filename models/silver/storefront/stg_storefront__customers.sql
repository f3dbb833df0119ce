with source as (

    select * from {{ ref('br_storefront__customers') }}

),

statuses as (

    select * from {{ ref('storefront_customer_statuses') }}

),

cleaned as (

    select
        customer_id,
        upper(trim(customer_code)) as customer_code,
        nullif(trim(customer_name), '') as customer_name,
        -- n/a and the like are no addresses
        case when trim(email) like '%_@_%' then lower(trim(email)) end as email,
        {{ digits_only('phone') }} as phone,
        upper(trim(status)) as status_code,
        nullif(trim(created_date), '') as created_date_text,
        nullif(trim(modified_date), '') as modified_date_text,
        {{ safe_date('created_date') }} as created_date,
        {{ safe_date('modified_date') }} as modified_date,
        _deleted_at,
        _batch_id
    from source

),

final as (

    select
        -- ids
        cleaned.customer_id,
        cleaned.customer_code,

        -- text
        {{ title_case('cleaned.customer_name') }} as customer_name,
        cleaned.email,
        cleaned.phone,
        cast(
            coalesce(statuses.customer_status, 'Unknown') as {{ dbt.type_string() }}
        ) as customer_status,

        -- booleans
        {{ to_boolean('cleaned.email is not null') }} as has_email,
        {{ to_boolean(
            'cleaned.created_date is null and cleaned.created_date_text is not null'
        ) }} as has_bad_created_date,
        {{ to_boolean(
            'cleaned.modified_date is null and cleaned.modified_date_text is not null'
        ) }} as has_bad_modified_date,

        -- dates
        cleaned.created_date,
        cleaned.modified_date,

        -- timestamps
        {{ utc_timestamp('cleaned._deleted_at') }} as deleted_at,

        -- batch
        cleaned._batch_id

    from cleaned
    left join statuses on cleaned.status_code = statuses.status_code

)

select * from final
