{{
    config(
        unique_key=['service', 'cost_date'],
        indexes=key_indexes(['service', 'cost_date'], texts=['service']),
    )
}}

{{ bronze_current_rows('miyabi', 'infrastructure_costs') }}
