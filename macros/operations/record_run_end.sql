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
    {%- set passed = statuses | select('in', ['success', 'pass', 'no-op']) | list | length -%}
    {%- set warned, skipped = statuses.count('warn'), statuses.count('skipped') -%}
    {%- set failed = rows | length - passed - warned - skipped -%}
update ops.dbt_invocations
set
    status = '{{ 'failed' if failed else 'succeeded' }}',
    finished_at = '{{ medallion.utc_text(modules.datetime.datetime.now(modules.pytz.utc)) }}',
    nodes_passed = {{ passed }},
    nodes_warned = {{ warned }},
    nodes_failed = {{ failed }},
    nodes_skipped = {{ skipped }},
    recorded_at = default
where invocation_id = '{{ invocation_id }}';
{%- endmacro %}


{#
    What is recorded of each node. A macro call takes longer than all else here, so there is none for
    a node that went well: a build with a thousand nodes would feel it. dbt's times are in UTC; a
    server that can't count its rows says -1; a test is attached to a model or a source, or else to
    the first relation that it reads. `dbt build` passes by exposures, too.
#}
{% macro node_rows(results) -%}
    {%- set rows = [] -%}
    {%- for result in results if result.node.resource_type != 'exposure' -%}
        {%- set node, timing, status = result.node, result.timing, result.status | string -%}
        {%- set is_test = node.resource_type in ['test', 'unit_test'] -%}
        {%- set rows_affected = result.adapter_response.get('rows_affected') -%}
        {%- do rows.append({
            'invocation_id': invocation_id,
            'unique_id': node.unique_id,
            'resource_type': node.resource_type | string,
            'node_name': node.name,
            'status': status,
            'thread': result.thread_id,
            'started_at': timing[0].started_at.isoformat() ~ 'Z' if timing else none,
            'finished_at': timing[-1].completed_at.isoformat() ~ 'Z' if timing else none,
            'execution_seconds': result.execution_time | round(3),
            'rows_affected': rows_affected
                if rows_affected is integer and rows_affected >= 0 else none,
            'failures': result.failures,
            'message': medallion.message_without_data(result.message)
                if status not in ['success', 'pass', 'skipped'] else none,
            'test_severity': (node.config.get('severity') or 'error') | lower
                if is_test else none,
            'tested_unique_id': (
                node.attached_node or node.tested_node_unique_id
                or node.depends_on.nodes | first or none
            ) if is_test else none,
            'tested_column': node.column_name or none if is_test else none,
        }) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}


{#
    What is recorded of each source table. One that was never loaded is dated to the year 1; one that
    could not be measured has no date.
#}
{% macro freshness_rows(results) -%}
    {%- set rows = [] -%}
    {%- for result in results -%}
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
