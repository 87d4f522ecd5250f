//! The page of the verification in a real browser.

use serde_json::{Value as Json, json};

use super::browser::Browser;
use super::{Play, made_of};

/// A migration with three differences, one of them with marks that a page must not take for its own.
fn differing() -> (Play, Json) {
    let play = Play::ran();
    play.disturb("new", |world| {
        made_of(world, "deals", "old:deals:1")["properties"]["dealname"] = json!("x".repeat(300));
        made_of(world, "contacts", "old:persons:7")["properties"]["firstname"] =
            json!("<img src=\"https://example.com/x.png\"><script>alert(1)</script>");
        made_of(world, "companies", "old:organizations:3")["properties"]["name"] =
            json!("\u{627}\u{644}\u{641}\u{62c}\u{631}");
    });
    let told = play.does(&["verify", "--html", "report.html", "--json"]).ends(4).json();
    (play, told)
}

#[test]
fn the_page_shows_what_was_found_and_loads_nothing() {
    let (play, told) = differing();
    let mut browser = Browser::open();
    let file = play.dir().join("report.html");
    for width in [1280, 390] {
        browser.show(&file, width);
        assert_eq!(browser.complaints(), Vec::<String>::new(), "at {width} pixels");
        let requests = browser.requests();
        assert!(requests.iter().all(|url| url.starts_with("file://")) && requests.len() == 1, "{requests:?}");
        let shown = browser.evaluates("document.body.innerText");
        let shown = shown.as_str().unwrap();
        let found = &told["report"];
        let differences = found["differences"].as_array().unwrap();
        assert!(differences.len() >= 3, "{differences:?}");
        assert!(shown.contains(&format!("{} differences.", differences.len())), "{shown}");
        for one in differences {
            let actual = one["actual"].as_str().unwrap();
            assert!(shown.contains(actual), "{actual} is not shown as it is");
        }
        // The outcomes, as they stand in the report.
        let rows = browser.evaluates(
            "[...document.querySelectorAll('table')[0].tBodies[0].rows].map(row => [...row.cells].map(cell => cell.innerText))",
        );
        for (row, object) in rows.as_array().unwrap().iter().zip(found["objects"].as_array().unwrap()) {
            assert_eq!(row[1], object["in_source"].to_string(), "{row}");
            assert_eq!(row[2], object["counts"]["read"].to_string(), "{row}");
            assert_eq!(row[7], object["counts"]["held"].to_string(), "{row}");
        }
        // Wide tables move within themselves; the page never moves sideways.
        let wide = browser.evaluates("document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= u64::from(width), "{wide} pixels are wider than {width}");
        let picture = browser.picture();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 20_000, "{} bytes", picture.len());
        keep(&format!("report-{width}.png"), &picture);
    }
    let printed = browser.prints();
    assert!(printed.starts_with(b"%PDF-") && printed.len() > 20_000, "{} bytes", printed.len());
    keep("report.pdf", &printed);
}

/// The test would see it: a page that loads something, says something and is too wide.
#[test]
fn a_page_that_misbehaves_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.html");
    let page = "<img src='data:image/png;base64,AA=='><img src='other.png'><div style='width:900px'>x</div><script>console.error('no'); throw 1</script>";
    std::fs::write(&file, page).unwrap();
    let mut browser = Browser::open();
    browser.show(&file, 390);
    assert!(browser.complaints().len() >= 2, "{:?}", browser.complaints());
    assert!(browser.requests().iter().any(|url| url.ends_with("other.png")), "{:?}", browser.requests());
    assert!(browser.evaluates("document.documentElement.scrollWidth").as_u64().unwrap() >= 900);
}

/// For whoever wants to see it: into the folder that `HANDOVER_TEST_PICTURES` names.
fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("HANDOVER_TEST_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join(name), bytes).unwrap();
    }
}
