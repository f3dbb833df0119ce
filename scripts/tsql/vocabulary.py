"""What T-SQL knows in every supported version (2019 on), and what to write for what it doesn't."""

from __future__ import annotations

_FUNCTIONS = """
abs acos app_name applock_mode applock_test approx_count_distinct ascii asin atan atn2 avg cast
ceiling char charindex checksum checksum_agg choose coalesce col_length col_name collate
columnproperty columns_updated compress concat concat_ws convert cos cot count count_big
cume_dist current_timestamp current_user cursor_status databasepropertyex datalength dateadd
datediff datediff_big datefromparts datename datepart datetime2fromparts datetimefromparts
datetimeoffsetfromparts day db_id db_name decompress degrees dense_rank difference eomonth
error_line error_message error_number error_procedure error_severity error_state exists exp
filegroup_id first_value floor format formatmessage getansinull getdate getutcdate grouping
grouping_id has_perms_by_name hashbytes host_name ident_current ident_incr ident_seed iif index_col
indexproperty is_member is_rolemember is_srvrolemember isdate isjson isnull isnumeric json_modify
json_query json_value lag last_value lead left len log log10 lower ltrim max min month nchar newid
newsequentialid ntile nullif object_definition object_id object_name object_schema_name
objectproperty objectpropertyex openjson openquery openrowset openxml original_login parse
parsename patindex percent_rank percentile_cont percentile_disc permissions pi power quotename
radians rand rank replace replicate reverse right round row_number rowcount_big rtrim schema_id
schema_name scope_identity serverproperty session_context session_user sign sin
smalldatetimefromparts soundex space sql_variant_property sqrt square stdev stdevp str
string_agg string_escape string_split stuff substring sum suser_id suser_name suser_sname
switchoffset sysdatetime sysdatetimeoffset system_user sysutcdatetime tan timefromparts
todatetimeoffset translate trim try_cast try_convert try_parse type_id type_name typeproperty
unicode upper user_id user_name var varp xact_state year
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())

# Functions that are conditions: they stand where other functions can't, and the other way round.
CONDITION_FUNCTIONS = frozenset({"contains", "freetext", "regexp_like"})

# Reserved words that are values.
VALUES = frozenset({"current_timestamp", "current_user", "session_user", "system_user", "user"})

REMEDIES = {
    "age": "dbt.datediff(…)",
    "array_agg": "dbt.listagg(…)",
    "array_to_string": "medallion.array_to_text(…)",
    "bool_and": "min(case when … then 1 else 0 end) = 1",
    "bool_or": "max(case when … then 1 else 0 end) = 1",
    "btrim": "trim(…)",
    "ceil": "ceiling(…)",
    "char_length": "dbt.length(…)",
    "chr": "char(…)",
    "clock_timestamp": "medallion.current_utc_timestamp()",
    "date_part": "medallion.date_part(…)",
    "date_trunc": "dbt.date_trunc(…), which gives a date, or datefromparts(…)",
    "decode": "a macro dispatched by engine",
    "every": "min(case when … then 1 else 0 end) = 1",
    "extract": "medallion.date_part(…)",
    "generate_series": "medallion.date_spine_days(…); T-SQL has it only since SQL Server 2022",
    "greatest": "a case expression; T-SQL has it only since SQL Server 2022",
    "initcap": "upper(left(…)) and lower(substring(…))",
    "json_array": "a macro dispatched by engine; T-SQL has it only since SQL Server 2022",
    "json_arrayagg": "a macro dispatched by engine; T-SQL has it only since SQL Server 2025",
    "json_object": "a macro dispatched by engine; T-SQL has it only since SQL Server 2022",
    "least": "a case expression; T-SQL has it only since SQL Server 2022",
    "length": "dbt.length(…)",
    "ln": "log(…)",
    "lpad": "right(concat(replicate(…), …), …)",
    "make_date": "datefromparts(…) in a dispatched macro",
    "md5": "medallion.surrogate_key(…) or dbt.hash(…)",
    "mod": "the operator %",
    "now": "medallion.current_utc_timestamp()",
    "nvl": "coalesce(…)",
    "overlay": "stuff(…)",
    "position": "dbt.position(…)",
    "pow": "power(…)",
    "random": "rand()",
    "regexp_like": "medallion.matches_regex(…); T-SQL has it only since SQL Server 2025",
    "repeat": "replicate(…)",
    "rpad": "left(concat(…, replicate(…)), …)",
    "split_part": "dbt.split_part(…)",
    "stddev": "stdev(…)",
    "strpos": "dbt.position(…)",
    "substr": "substring(…)",
    "timezone": "medallion.utc_timestamp(…)",
    "to_char": "a dispatched macro around format(…) or convert(…)",
    "to_date": "cast(… as date)",
    "to_number": "cast(… as numeric(…))",
    "to_timestamp": "cast(… as datetime2)",
    "trunc": "round(…, …, 1)",
    "unnest": "openjson(…) in a dispatched macro",
    "variance": "var(…)",
}

# Types after `cast(… as`: those that mean nothing, or something else, on SQL Server.
TYPES = {
    "bool": "bit: dbt.type_boolean()",
    "boolean": "bit: dbt.type_boolean()",
    "bytea": "varbinary(max)",
    "double": "float",
    "float4": "real",
    "float8": "float",
    "int2": "smallint",
    "int4": "int",
    "int8": "bigint",
    "interval": "dbt.dateadd(…)",
    "json": "varchar(max)",
    "jsonb": "varchar(max)",
    "string": "varchar(n): dbt.type_string()",
    "text": "varchar(n) or dbt.type_string(); T-SQL's text is another, obsolete type",
    "timestamp": "dbt.type_timestamp(); T-SQL's timestamp is a row version, not a time",
    "timestamptz": "datetimeoffset, or dbt.type_timestamp() in UTC",
    "uuid": "uniqueidentifier",
}

# Without a size these cut their value: varchar to 30 characters, numeric to an integer.
TYPES_THAT_NEED_A_SIZE = frozenset(
    {"binary", "char", "dec", "decimal", "nchar", "numeric", "nvarchar", "varbinary", "varchar"}
)
