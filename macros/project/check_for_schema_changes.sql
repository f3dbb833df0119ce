{#
    dbt's look at whether an incremental model has other columns than its table. A text without
    limit is no other type than the contract's: the merge converts it, as the first build did, and
    what is too long fails in both.

    Without it: text is `varchar(max)` in landing and `varchar(8000)` in a contract, so that each
    build of a fact but the first fails on SQL Server.
#}
{% macro sqlserver__check_for_schema_changes(source_relation, target_relation) -%}
    {%- set found = dbt.default__check_for_schema_changes(source_relation, target_relation) -%}
    {%- if config.get('contract').enforced -%}
        {%- set texts = found.target_columns
            | selectattr('dtype', 'equalto', 'varchar') | map(attribute='name') | list -%}
        {%- set others = [] -%}
        {%- for change in found.new_target_types
            if not (change.new_type == 'varchar(max)' and change.column_name in texts) -%}
            {%- do others.append(change) -%}
        {%- endfor -%}
        {%- do found.update({
            'new_target_types': others,
            'schema_changed':
                (found.source_not_in_target + found.target_not_in_source + others) | length > 0,
        }) -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
