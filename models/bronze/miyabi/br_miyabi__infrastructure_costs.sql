{{
    config(
        unique_key=['service', 'cost_date'],
        indexes=[{'columns': ['service', 'cost_date'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('miyabi', 'infrastructure_costs') }}
