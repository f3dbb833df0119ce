{#
    On-run-end: what became of each node, and of the run. One insert for each thousand of nodes; all
    of it or nothing, so that no run is half recorded.
#}
{% macro record_run_end(results) -%}
    {%- if execute and medallion.is_recorded() -%}
        {%- set statements = [medallion.insert_invocation()] -%}
        {%- if invocation_args_dict.which == 'freshness' -%}
            {%- set table, rows = 'source_freshness_results', medallion.freshness_rows(results) -%}
        {%- else -%}
            {%- set table, rows = 'dbt_node_results', medallion.node_rows(results) -%}
        {%- endif -%}
        {%- for chunk in rows | batch(1000) -%}
            {%- do statements.append(medallion.insert_recorded_rows(table, chunk)) -%}
        {%- endfor -%}
        {%- do statements.append(medallion.update_invocation(rows)) -%}
        {%- set error = medallion.error_of(statements | join('\n')) -%}
        {%- if error -%}
            {%- do medallion.warn_of_unrecorded(error) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro update_invocation(rows) -%}
    {%- set statuses = rows | map(attribute='status') | list -%}
    {%- set ended = namespace(passed=0, warned=0, failed=0, skipped=0) -%}
    {%- for status in statuses -%}
        {%- if status == 'warn' -%}
            {%- set ended.warned = ended.warned + 1 -%}
        {%- elif status == 'skipped' -%}
            {%- set ended.skipped = ended.skipped + 1 -%}
        {%- elif status in ['success', 'pass', 'no-op'] -%}
            {%- set ended.passed = ended.passed + 1 -%}
        {%- else -%}
            {%- set ended.failed = ended.failed + 1 -%}
        {%- endif -%}
    {%- endfor -%}
update ops.dbt_invocations
set
    status = '{{ 'failed' if ended.failed else 'succeeded' }}',
    finished_at = '{{ medallion.utc_text(modules.datetime.datetime.now(modules.pytz.utc)) }}',
    nodes_passed = {{ ended.passed }},
    nodes_warned = {{ ended.warned }},
    nodes_failed = {{ ended.failed }},
    nodes_skipped = {{ ended.skipped }},
    recorded_at = default
where invocation_id = '{{ invocation_id }}';
{%- endmacro %}


{% macro node_rows(results) -%}
    {%- set rows = [] -%}
    {#- `dbt build` passes by exposures, too -#}
    {%- for result in results if result.node.resource_type != 'exposure' -%}
        {%- set node = result.node -%}
        {%- set timing = result.timing or [] -%}
        {%- set is_test = node.resource_type in ['test', 'unit_test'] -%}
        {%- do rows.append({
            'invocation_id': invocation_id,
            'unique_id': node.unique_id,
            'resource_type': node.resource_type | string,
            'node_name': node.name,
            'status': result.status | string,
            'thread': result.thread_id,
            'started_at': medallion.utc_text(timing[0].started_at if timing else none),
            'finished_at': medallion.utc_text(timing[-1].completed_at if timing else none),
            'execution_seconds': result.execution_time | round(3),
            'rows_affected': medallion.count_or_none(result.adapter_response.get('rows_affected')),
            'failures': medallion.count_or_none(result.failures),
            'message': medallion.message_without_data(result.message),
            'test_severity': (node.config.get('severity') or 'error') | lower if is_test else none,
            'tested_unique_id': medallion.tested_node(node) if is_test else none,
            'tested_column': node.column_name or none,
        }) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}


{# What a test is attached to: its model or source, or the first relation that it reads. #}
{% macro tested_node(node) -%}
    {{ return(
        node.attached_node or node.tested_node_unique_id or node.depends_on.nodes | first or none
    ) }}
{%- endmacro %}


{# A count, unless the server can't tell: drivers say -1 then, or nothing. #}
{% macro count_or_none(number) -%}
    {{ return(number if number is integer and number >= 0 else none) }}
{%- endmacro %}


{% macro freshness_rows(results) -%}
    {%- set rows = [] -%}
    {%- for result in results -%}
        {#- a table that was never loaded is dated to the year 1; a failed query has no date -#}
        {%- set loaded_at = result.max_loaded_at | default(none) -%}
        {%- set is_loaded = loaded_at and loaded_at.year > 1 -%}
        {%- do rows.append({
            'invocation_id': invocation_id,
            'unique_id': result.node.unique_id,
            'source_name': result.node.source_name,
            'table_name': result.node.name,
            'status': result.status | string,
            'max_loaded_at': medallion.utc_text(loaded_at if is_loaded else none),
            'snapshotted_at': medallion.utc_text(result.snapshotted_at | default(none)),
            'age_seconds': result.age | int if is_loaded else none,
            'execution_seconds': result.execution_time | round(3),
            'message': medallion.message_without_data(result.message),
        }) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}
