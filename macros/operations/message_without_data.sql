{#
    The beginning of a node's message, without what may be somebody's data or secret: the rows and
    values that servers quote in their errors, and passwords in addresses. The values of variables
    DBT_ENV_SECRET_* are masked by dbt already.

    Without it: a failed constraint writes the customer's whole row into ops ("Failing row contains
    (…)"), where other people read than in gold. dbt's log has the message in full.
#}
{% macro message_without_data(message) -%}
    {%- set lines = [] -%}
    {%- for line in (message or '').replace('\0', '').splitlines() -%}
        {%- set line = line | trim -%}
        {%- if line and not modules.re.match(
            '(DETAIL|CONTEXT|HINT|QUERY|LINE \\d+|compiled code at)\\b', line
        ) and not modules.re.match('\\^$', line) -%}
            {%- do lines.append(line) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set masked = namespace(text=lines[:3] | join(' ')) -%}
    {%- set rules = [
        ('://[^\\s/@]*:[^\\s@]*@', '://***@'),
        ('(?i)\\b(pwd|password|token|secret|api_?key)(\\s*[=:]\\s*)\\S+', '\\1\\2***'),
        (': "[^"]*"?', ': "***"'),
        ("(?i)\\bvalue '[^']*'?", "value '***'"),
        ('(?i)\\bvalue is \\(.*', 'value is ***'),
    ] -%}
    {%- for pattern, replacement in rules -%}
        {%- set masked.text = modules.re.sub(pattern, replacement, masked.text) -%}
    {%- endfor -%}
    {{ return(masked.text[:1000] or none) }}
{%- endmacro %}
