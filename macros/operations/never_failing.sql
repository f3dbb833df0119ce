{#
    Runs statements in a transaction of their own, and returns the error they ended in, none if they
    ended well. Whatever goes wrong there is undone, and the dbt run goes on.

    Without it: an error in a hook fails the whole run, and on Postgres spoils its transaction.

    `statements` are the inside of a `do` block on Postgres, a batch on SQL Server.
#}
{% macro error_of(statements) -%}
    {%- call statement('recorded', fetch_result=true) -%}
        {{ medallion.never_failing(statements) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return(load_result('recorded').data | map('first') | first or none) }}
{%- endmacro %}


{# The SQL: one row with the error, or with null. #}
{% macro never_failing(statements) -%}
    {{ return(adapter.dispatch('never_failing', 'medallion')(statements)) }}
{%- endmacro %}

{#
    Waits for no lock longer than that of a quick look. `others` leaves out a cancelled query, which
    is what a statement_timeout is. The tag can't be in the text: it is new with each run.
#}
{% macro postgres__never_failing(statements) -%}
    {%- set tag = '$run_' ~ invocation_id | replace('-', '') ~ '$' -%}
select set_config('medallion.recording_error', '', false);
do {{ tag }}
begin
    perform set_config('lock_timeout', '3s', true);
    {{ statements }}
exception when query_canceled or others then
    perform set_config('medallion.recording_error', sqlerrm, false);
end
{{ tag }};
select current_setting('medallion.recording_error') as error_message;
{%- endmacro %}

{#
    As text of its own, which ends with its settings, and because an error about a table that is
    missing can't be caught where it stands.
#}
{% macro sqlserver__never_failing(statements) -%}
declare @error_message varchar(4000);
begin try
    begin transaction;
    exec('set nocount on; set lock_timeout 3000; {{ escape_single_quotes(statements) }}');
    commit transaction;
end try
begin catch
    set @error_message = error_message();
    if @@trancount > 0
        rollback transaction;
end catch;
select @error_message as error_message;
{%- endmacro %}


{# Says that something could not be recorded, in words that can't fail a run with --warn-error. #}
{% macro warn_of_unrecorded(error) -%}
    {%- set text = "This run is not recorded in ops: " ~ error.splitlines()[0]
        ~ ". See docs/operations.md." -%}
    {%- if flags.WARN_ERROR or flags.WARN_ERROR_OPTIONS.error -%}
        {%- do log("Warning: " ~ text, info=true) -%}
    {%- else -%}
        {%- do exceptions.warn(text) -%}
    {%- endif -%}
{%- endmacro %}
