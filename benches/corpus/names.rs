//! The words of the made monolith: what its areas, classes and methods are called.

use std::collections::HashSet;

use crate::draw::Draw;

/// Areas of the product: package, share of the classes in per mille, and its nouns.
pub(super) const AREAS: &[(&str, u64, &[&str])] = &[
    ("signin", 90, &["Password", "Session", "Lockout", "RememberMe", "Captcha", "LoginPage"]),
    ("mfa", 80, &["Totp", "PushFactor", "SmsFactor", "WebAuthn", "Enrollment", "RecoveryCode"]),
    ("directory", 85, &["User", "Group", "Profile", "Schema", "LdapAgent", "ActiveDirectory"]),
    ("provisioning", 80, &["Scim", "Import", "Mapping", "Deprovision", "AttributeSync", "Push"]),
    ("policy", 70, &["PasswordPolicy", "Rule", "Zone", "Condition", "RiskScore", "DeviceTrust"]),
    ("federation", 75, &["Saml", "Assertion", "Metadata", "WsFed", "IdentityProvider", "Trust"]),
    ("oauth", 75, &["AccessToken", "RefreshToken", "Consent", "Scope", "Introspection", "Jwk"]),
    ("apps", 85, &["AppInstance", "Catalog", "Bookmark", "AppAssignment", "Template", "Icon"]),
    ("admin", 70, &["AdminRole", "Delegation", "Dashboard", "TaskList", "Settings", "Branding"]),
    ("api", 80, &["RateLimit", "Pagination", "ApiToken", "ErrorBody", "Filter", "Hypermedia"]),
    ("audit", 45, &["EventLog", "Export", "Retention", "Query", "Actor", "Geolocation"]),
    ("workflow", 55, &["Flow", "Trigger", "Step", "Approval", "Schedule", "Connector"]),
    ("billing", 35, &["Invoice", "Seat", "Trial", "Entitlement", "Quota", "Renewal"]),
    ("notify", 35, &["EmailTemplate", "Sms", "Digest", "Bounce", "Webhook", "Locale"]),
    ("platform", 40, &["Cache", "JobQueue", "Migration", "FeatureFlag", "Shard", "Clock"]),
];

/// The kind of a class: suffix of its name, the package part, and its weight in per mille, set-up
/// in seconds (median) and how much longer than average its cases run.
pub(super) const KINDS: &[(&str, &str, u64, f64, f64)] = &[
    ("Test", "unit", 430, 0.35, 0.25),
    ("ServiceTest", "service", 240, 3.5, 0.6),
    ("RepositoryTest", "store", 120, 6.0, 0.8),
    ("ApiIT", "api", 130, 14.0, 1.8),
    ("UiIT", "ui", 80, 25.0, 5.0),
];

const QUALIFIERS: &[&str] = &[
    "",
    "Default",
    "Legacy",
    "Bulk",
    "Async",
    "Cached",
    "Nested",
    "Expired",
    "Remote",
    "Custom",
    "Partial",
    "Concurrent",
    "Tenant",
    "Mobile",
    "Delegated",
    "Scheduled",
    "Encrypted",
    "Secure",
];

const ROLES: &[&str] = &[
    "",
    "Lifecycle",
    "Validation",
    "Search",
    "Update",
    "Creation",
    "Deletion",
    "Permission",
    "Conversion",
    "Matching",
    "Listing",
    "Rollback",
    "Merge",
    "Audit",
    "Limit",
    "Timeout",
    "Parser",
    "Renderer",
    "Controller",
    "Handler",
    "Upgrade",
    "Refresh",
];

const VERBS: &[&str] = &[
    "accepts",
    "rejects",
    "creates",
    "updates",
    "deletes",
    "returns",
    "ignores",
    "keeps",
    "expires",
    "locks",
    "restores",
    "notifies",
    "hides",
    "shows",
    "validates",
    "encodes",
    "merges",
    "retries",
];

const OBJECTS: &[&str] = &[
    "ActiveUser",
    "EmptyBody",
    "ExpiredToken",
    "UnknownGroup",
    "DuplicateName",
    "LongName",
    "UnicodeName",
    "MissingField",
    "OldVersion",
    "SecondAttempt",
    "ForeignTenant",
    "NullOwner",
    "LargePage",
    "LastAdmin",
    "ClosedSession",
    "StaleCache",
    "SuspendedAccount",
    "InvalidScope",
];

const CONDITIONS: &[&str] = &[
    "",
    "",
    "WhenDisabled",
    "ForAdmin",
    "AfterUpgrade",
    "OnTimeout",
    "WithoutPermission",
    "Twice",
    "InReadOnlyMode",
    "WithDefaults",
    "UnderLoad",
    "AcrossTenants",
    "ForGuest",
    "BeforeCommit",
];

/// Position in a weighted list.
pub(super) fn weighted(draw: &mut Draw, weights: impl Iterator<Item = u64> + Clone) -> usize {
    let mut left = draw.below(weights.clone().sum());
    for (at, weight) in weights.enumerate() {
        if left < weight {
            return at;
        }
        left -= weight;
    }
    0
}

/// A full class name that no earlier class has.
pub(super) fn class_name(
    draw: &mut Draw,
    area: usize,
    kind: usize,
    taken: &mut HashSet<String>,
) -> String {
    let (package, _, nouns) = AREAS[area];
    let (suffix, layer, ..) = KINDS[kind];
    let mut tries = 0_u32;
    loop {
        let (qualifier, noun, role) = (draw.pick(QUALIFIERS), draw.pick(nouns), draw.pick(ROLES));
        let number = if tries < 20 { String::new() } else { (tries / 10).to_string() };
        let name = format!("com.example.{package}.{layer}.{qualifier}{noun}{role}{number}{suffix}");
        if taken.insert(name.clone()) {
            return name;
        }
        tries += 1;
    }
}

/// Method names of one class, all different.
pub(super) fn method_names(draw: &mut Draw, count: usize) -> Vec<String> {
    let mut taken = HashSet::with_capacity(count);
    let mut names = Vec::with_capacity(count);
    while names.len() < count {
        let (verb, object, condition) =
            (draw.pick(VERBS), draw.pick(OBJECTS), draw.pick(CONDITIONS));
        let mut name = format!("{verb}{object}{condition}");
        if taken.contains(&name) && draw.chance(0.5) {
            name = format!("{name}[{}]", draw.between(1, 64));
        }
        if taken.insert(name.clone()) {
            names.push(name);
        }
    }
    names
}
