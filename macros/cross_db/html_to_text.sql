{#
    HTML as plain text: paragraphs are set apart by an empty line, tags are left out, entities are
    the characters they stand for, blanks around the text are gone. Null stays null, and a text of
    tags alone is empty.

    Without it: neither engine knows HTML, and what works on Postgres, `regexp_replace`, doesn't
    exist on SQL Server before 2025.

    Entities are those of the characters that HTML itself uses; any other character comes as such in
    UTF-8. `&amp;` is the last, or `&amp;lt;` would become `<`.
#}
{% macro html_to_text(expression) -%}
    {%- set entities = [
        ('&lt;', '<'), ('&gt;', '>'), ('&quot;', '"'), ('&#x27;', "''"), ('&#x2F;', '/'),
        ('&amp;', '&'),
    ] -%}
    {%- set text = namespace(sql=medallion.strip_tags(
        "replace(" ~ expression ~ ", '<p>', '\n\n')"
    )) -%}
    {%- for entity, character in entities -%}
        {%- set text.sql = "replace(" ~ text.sql ~ ", '" ~ entity ~ "', '" ~ character ~ "')" -%}
    {%- endfor -%}
    trim({{ text.sql }})
{%- endmacro %}
