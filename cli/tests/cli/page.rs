//! The page of `rasher report`: complete in itself, and nothing that is shown on it is markup.

use std::collections::BTreeSet;

use crate::project::Project;

const BOOM: &str = "<failure message=\"boom\" type=\"E\">at x</failure>";
/// As XML writes it; the name itself is a script, and would end a cell, an attribute and a title.
const HOSTILE: &str = "&lt;script&gt;alert(1)&lt;/script&gt;\"'&amp;lt;/td&gt;{{ 7*7 }}";

/// Every tag of a page in order: its name, whether it opens or closes, and its attributes.
fn tags(html: &str) -> Vec<(String, bool, String)> {
    let style = html.find("</style>").expect("a style");
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let inner = &rest[at + 1..];
        let end = inner.find('>').expect("a tag ends");
        let (tag, opens) = (&inner[..end], !inner.starts_with('/'));
        let name: String =
            tag.trim_start_matches('/').chars().take_while(|c| c.is_alphanumeric()).collect();
        let alone = tag.ends_with('/') || ["", "meta", "img"].contains(&name.as_str());
        if !alone && html.len() - rest.len() + at != style {
            found.push((name, opens, tag.to_owned()));
        } else if !alone {
            found.push((name, false, tag.to_owned()));
        }
        rest = &inner[end + 1..];
    }
    found
}

/// Well-formed, accessible as far as that can be checked, and asks no network.
pub(crate) fn assert_sound(html: &str) {
    let mut open: Vec<String> = Vec::new();
    for (name, opens, tag) in tags(html) {
        if opens {
            assert!(name != "th" || tag.contains("scope="), "{tag}");
            open.push(name);
        } else {
            assert_eq!(open.pop(), Some(name), "after {open:?}");
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    let values = |key: &str| -> Vec<String> {
        html.split(key).skip(1).map(|it| it.split('"').next().unwrap_or("").to_owned()).collect()
    };
    let ids = values(" id=\"");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice");
    for id in values("href=\"#").iter().chain(&values("aria-labelledby=\"")) {
        assert!(ids.contains(id), "#{id} leads nowhere");
    }
    for outside in ["http:", "https:", "src=\"/", "url(", "@import", "<link", "<script"] {
        assert!(!html.contains(outside), "{outside} would ask the network");
    }
}

#[test]
fn a_store_that_knows_nothing_has_a_page_too() {
    let project = Project::new();
    let called = project.rasher(&["report"]).code(0);
    assert_eq!(called.stdout, "rasher-report.html\n");
    let html = project.read("rasher-report.html");
    assert_sound(&html);
    for nothing in ["No run is recorded yet", "No test failed", "No test is in quarantine"] {
        assert!(html.contains(nothing), "{nothing}");
    }
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let project = Project::new();
    project.write("rasher.toml", "[[pool]]\nname = \"</text><script>\"\n");
    project.write("CODEOWNERS", "* @<b>bold</b>\n");
    for shard in 1..=3 {
        for run in 0..4 {
            let (inner, name) = (if run % 2 == 0 { BOOM } else { "" }, format!("{HOSTILE}{shard}"));
            let folder = format!("r{run}-{shard}");
            let skip = ("&lt;i&gt;", 0.0, "<skipped/>");
            let name = name.replace('"', "&quot;");
            project.report(&folder, "x.ATest", &[(&name, f64::from(shard), inner), skip]);
            let (run, shard) = (format!("<run {run}>"), shard.to_string());
            let at = format!("2026-01-0{}T00:00:00Z", &run[5..6].parse::<u8>().unwrap() + 1);
            let args = ["record", &folder, "--run", &run, "--shard", &shard, "--at", &at];
            project.rasher(&[&args[..], &["--branch", "main"]].concat()).code(0);
        }
    }
    project.write(
        "quarantine.toml",
        "[[test]]\ntest = \"x.ATest#<u>\"\nowner = \"<b>\"\nreason = \"</td>\"\n\
         since = 2026-01-01\nexpires = 2999-01-01\n",
    );
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    let by = ["--bypass", "<em>Eve</em>", "--reason", "</table><script>x</script>"];
    let plan = ["verdict", "--plan", "plan.json", "--results", "r0-1"];
    project.rasher(&[&plan[..], &by].concat()).code(0);
    let html = project.rasher(&["report", "--out", "-"]).code(0).stdout;
    assert_sound(&html);
    let lower = html.to_lowercase();
    for markup in ["<script", "<em>", "<b>bold", "<i>", "<u>", "<run"] {
        assert!(!lower.contains(markup), "{markup}");
    }
    for shown in ["alert(1)", "{{ 7*7 }}", "Eve", "bold", "run 3", "3 shards"] {
        assert!(html.contains(shown), "{shown} is not shown");
    }
    let strips = html.matches("<span class=\"strip\"").count();
    assert_eq!(strips, 3, "each of the three tests that failed");
    assert!(html.contains("data:image/svg+xml,%3Csvg"), "the frontier is there");
}

#[test]
fn a_promise_is_held_against_the_run_that_was_planned() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports", "--run", "0", "--at", "2026-01-01T00:00:00Z"]).code(0);
    for (run, slow, promise) in [("1", 2.0, "kept"), ("2", 60.0, "late")] {
        let vars = [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", run)];
        let call = |args: &[&str]| project.rasher_in(&vars, args, "").code(0);
        call(&["plan", "--shards", "2"]);
        let folder = format!("run{run}");
        project
            .report(&format!("{folder}/1"), "x.ATest", &[("a", 1.0, ""), ("b", slow, "")])
            .report(&format!("{folder}/2"), "x.BTest", &[("d", 2.0, "")]);
        for shard in ["1", "2"] {
            let at = format!("2026-01-0{}T00:00:00Z", run.parse::<u8>().unwrap() + 1);
            call(&["record", &format!("{folder}/{shard}"), "--shard", shard, "--at", &at]);
        }
        let html = project.rasher(&["report", "--out", "-"]).code(0).stdout;
        assert_sound(&html);
        let row = html.split(&format!("<th scope=\"row\" class=\"name\">{run}</th>")).nth(1);
        let row = row.and_then(|it| it.split("</tr>").next()).expect("a row of the run");
        assert!(row.ends_with(&format!(">{promise}</td>")), "{row}");
    }
}
