{#
    The beginning of a node's message, without what may be somebody's data or secret: the rows and
    values that servers quote in their errors, and passwords in addresses. The values of variables
    DBT_ENV_SECRET_* are masked by dbt already.

    Without it: a failed constraint writes the customer's whole row into ops ("Failing row contains
    (…)"), where other people read than in gold. dbt's log has the message in full.
#}
{% macro message_without_data(message) -%}
    {#- From here on values are quoted, whose own lines may begin with anything. The extraction's
        messages have one line. -#}
    {%- set told = modules.re.split(
        '(?m)^\\s*(?:DETAIL|CONTEXT|HINT|QUERY|LINE \\d+|compiled code at)\\b'
        '|\\s(?:DETAIL|CONTEXT|HINT|QUERY|LINE \\d+):',
        (message or '').replace('\0', ''),
    ) | first -%}
    {%- set lines = told.splitlines() | map('trim') | select | list -%}
    {%- set masked = namespace(text=lines[:3] | join(' ')) -%}
    {%- set rules = [
        ('://[^\\s/@]*:[^\\s@]*@', '://***@'),
        ('(?i)\\b(pwd|password|token|secret|api_?key)(\\s*[=:]\\s*)\\S+', '\\1\\2***'),
        (': ".*', ': "***"'),
        ('".*" is out of range', '"***" is out of range'),
        ('(?i)\\b(value:?) ([\'"])(.*\\2|.*)', "\\1 '***'"),
        ('(?i)\\bvalue is \\(.*', 'value is ***'),
    ] -%}
    {%- for pattern, replacement in rules -%}
        {%- set masked.text = modules.re.sub(pattern, replacement, masked.text) -%}
    {%- endfor -%}
    {{ return(masked.text[:1000] or none) }}
{%- endmacro %}
