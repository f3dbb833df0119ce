-- What things are called at `miyabi`.

create function demo.issue_title(issue_id integer) returns text
language sql immutable parallel safe
return format(
    '%s the %s %s',
    demo.pick(
        array[
            'Add', 'Cache', 'Correct', 'Document', 'Drop', 'Harden', 'Limit', 'Log', 'Measure',
            'Move', 'Paginate', 'Rename', 'Replace', 'Retry', 'Simplify', 'Speed up', 'Split',
            'Test', 'Translate', 'Validate'
        ],
        issue_id, 11
    ),
    demo.pick(
        array[
            'audit log', 'avatar upload', 'billing export', 'build queue', 'calendar view',
            'code search', 'currency format', 'diff viewer', 'invite link', 'login form',
            'metrics page', 'password reset', 'plan editor', 'rate limit', 'release notes',
            'secret scan', 'session store', 'token refresh', 'webhook', '検索画面'
        ],
        issue_id, 12
    ),
    demo.pick(
        array[
            'after a time-out', 'for guests', 'for large teams', 'in the console', 'on mobile',
            'on the first visit', 'under load', 'when offline', 'with an empty list',
            'without a plan'
        ],
        issue_id, 13
    )
);

create function demo.person_email(key bigint, seed bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'aoi.tanabe', 'daichi.mori', 'emi.kuroda', 'felix.brandt', 'hana.ogawa', 'ines.costa',
        'jun.nishida', 'kaito.arai', 'leila.demir', 'mio.sakai', 'noor.haddad', 'ren.ueda',
        'sora.minami', 'tilda.berg', 'yui.hayashi', 'zoë.martin'
    ],
    key, seed
) || '@miyabi.example';

create function demo.service(number integer) returns text
language sql immutable parallel safe
return (array[
    'agent-runtime', 'api-gateway', 'billing', 'code-index', 'identity', 'notifications',
    'search', 'web-console'
])[number];
