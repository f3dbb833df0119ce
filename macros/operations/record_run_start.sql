{#
    On-run-start: stops a run that leads to the wrong place; makes the tables of ops that are
    missing, which models read even when nothing is recorded, and says that this run is under way. A
    run that is killed stays so.
#}
{% macro record_run_start() -%}
    {%- if execute and medallion.writes_or_checks_data() -%}
        {%- do medallion.check_full_refresh() -%}
        {%- set statements = [medallion.ops_tables()] -%}
        {%- if not medallion.check_environment() -%}
            {%- do statements.append(medallion.mark_environment()) -%}
        {%- endif -%}
        {%- if medallion.is_recorded() -%}
            {%- do statements.append(medallion.insert_invocation()) -%}
        {%- endif -%}
        {%- set error = medallion.error_of(statements | join('\n')) -%}
        {%- if error -%}
            {%- do medallion.warn_of_unrecorded(error) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# dbt calls the hooks for commands that only read the project, too: compile, docs generate. #}
{% macro writes_or_checks_data() -%}
    {{ return(invocation_args_dict.which in [
        'build', 'clone', 'freshness', 'retry', 'run', 'seed', 'snapshot', 'test'
    ]) }}
{%- endmacro %}


{#
    Whether to record this run, which neither the variable `record_runs` nor the environment's
    MEDALLION_RECORD_RUNS may have switched off. With `--empty` nothing is built that counts.
#}
{% macro is_recorded() -%}
    {%- set wanted = env_var('MEDALLION_RECORD_RUNS', 'true') | lower -%}
    {{ return(
        medallion.writes_or_checks_data()
        and var('record_runs', true)
        and wanted not in ['false', 'no', 'off', '0']
        and not flags.EMPTY
    ) }}
{%- endmacro %}


{# Once, whether the start or only the end of a run can be recorded. #}
{% macro insert_invocation() -%}
    {%- set arguments = invocation_args_dict -%}
    {%- set command = 'source freshness' if arguments.which == 'freshness' else arguments.which -%}
    {%- set selection = [] -%}
    {%- set options = [
        'select', 'exclude', 'selector', 'resource_types', 'exclude_resource_types'
    ] -%}
    {%- for option in options -%}
        {%- set given = arguments.get(option) -%}
        {%- if given -%}
            {%- set given = given if given is string else given | join(' ') -%}
            {%- do selection.append('--' ~ option | replace('_', '-') ~ ' ' ~ given) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if flags.FULL_REFRESH -%}
        {#- With its reason, which prod asks for. -#}
        {%- set why = var('confirmed', '') -%}
        {%- do selection.append('--full-refresh' ~ (' (' ~ why ~ ')' if why else '')) -%}
    {%- endif -%}
    {%- set invocation = {
        'invocation_id': invocation_id,
        'pipeline': (env_var('MEDALLION_PIPELINE', '') or 'dbt ' ~ command)[:200],
        'command': command,
        'selection': selection | join(' ') or none,
        'target_name': target.name,
        'target_schema': target.schema,
        'dbt_version': dbt_version,
        'code_version': env_var('MEDALLION_COMMIT', '') or env_var('GITHUB_SHA', '') or none,
        'status': 'running',
        'started_at': medallion.utc_text(run_started_at),
    } -%}
    {{ medallion.insert_recorded_rows(
        'dbt_invocations',
        [invocation],
        where="not exists (select 1 from ops.dbt_invocations where invocation_id = '"
            ~ invocation_id ~ "')",
    ) }}
{%- endmacro %}


{# A moment of dbt's, which is in UTC with or without saying so, as text for both engines. #}
{% macro utc_text(moment) -%}
    {{ return(moment.strftime('%Y-%m-%dT%H:%M:%S.%fZ') if moment else none) }}
{%- endmacro %}
