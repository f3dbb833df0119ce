{#
    A post-hook of dim_storefront_customer: who never registered leaves it with the last payment
    that names them, and so does the guest, who is null.
#}
{% macro delete_unknown_customers(transactions) -%}
    delete from {{ this }}
    where
        not {{ is_true('is_registered') }}
        and not exists (
            select 1
            from {{ transactions.render() }} as paid
            where
                paid.deleted_at is null
                and paid.customer_id = {{ this.identifier }}.customer_id
        )
        and not (
            customer_id is null
            and exists (
                select 1
                from {{ transactions.render() }} as paid
                where paid.deleted_at is null and paid.customer_id is null
            )
        )
{%- endmacro %}
