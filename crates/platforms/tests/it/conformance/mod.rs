//! The conformance suite: every platform, against its sandbox, through the one driver.
//!
//! A case is a function of a subject and an object and gives a verdict: it ran, or the platform cannot do
//! it, and then the operation was refused and nothing was sent. The list of verdicts is
//! `conformance.golden`, so that no case can vanish; `UPDATE=1` writes it anew. A case that fails panics.
//!
//! Over every case it is checked that no fault and no line of the log holds a secret or a value, and that
//! no request was above the limits.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed as it should")]
#![expect(clippy::print_stderr, reason = "a test prints its seed")]

mod cases;
mod golden;
mod stage;
mod subject;
mod subjects;
mod values;

use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use self::subject::{MARK, Object, Subject};

/// What became of a case that did not fail.
enum Verdict {
    /// It ran; the note says what was seen on the way.
    Ran(String),
    /// The platform cannot do it: refused, and nothing was sent.
    Refused(String),
}

impl Verdict {
    fn ran() -> Self {
        Self::Ran(String::new())
    }

    fn line(&self) -> String {
        match self {
            Self::Ran(note) if note.is_empty() => "ran".to_owned(),
            Self::Ran(note) => format!("ran ({note})"),
            Self::Refused(why) => format!("refused: {why}"),
        }
    }
}

type Judgement = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// How a case is run.
enum Run {
    /// For each object.
    Each(fn(&'static dyn Subject, &'static Object) -> Judgement),
    /// For the platform as a whole.
    Once(fn(&'static dyn Subject) -> Judgement),
}

struct Case {
    name: &'static str,
    run: Run,
}

/// Runs one case of one platform and compares its verdicts with the golden file.
async fn check(subject: &'static dyn Subject, name: &str) {
    let case = cases().into_iter().find(|case| case.name == name).unwrap();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let all: Vec<(&str, Judgement)> = match case.run {
        Run::Each(run) => subject.objects().iter().map(|object| (object.name, run(subject, object))).collect(),
        Run::Once(run) => vec![("*", run(subject))],
    };
    for (object, judgement) in all {
        match judged(subject, judgement).await {
            Ok(verdict) => lines.push(format!("{} {object} {name}: {}", subject.name(), verdict.line())),
            Err(why) => failed.push(format!("{object}: {why}")),
        }
    }
    assert!(failed.is_empty(), "{} {name} failed for\n  {}", subject.name(), failed.join("\n  "));
    golden::compare(subject.name(), name, &lines);
}

/// Runs to the verdict, and listens to log and faults meanwhile.
async fn judged(subject: &'static dyn Subject, judgement: Judgement) -> Result<Verdict, String> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    stage::heard();
    let verdict = {
        let _guard = tracing::subscriber::set_default(subscriber);
        tokio::spawn(judgement).await
    };
    let verdict = verdict.map_err(|error| match error.try_into_panic() {
        Ok(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default(),
        Err(error) => error.to_string(),
    })?;
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    let said = stage::heard().into_iter().chain(log.lines().map(str::to_owned));
    for line in said {
        if let Some(word) = subject.secrets().iter().chain([&MARK]).find(|word| line.contains(**word)) {
            return Err(format!("`{word}` stands in a fault or in the log: {line}"));
        }
    }
    Ok(verdict)
}

/// The log of one case.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

macro_rules! suite {
    (each { $($group:ident :: $case:ident,)* } once { $($part:ident :: $once:ident,)* }) => {
        /// Every case.
        fn cases() -> Vec<Case> {
            vec![
                $(Case {
                    name: stringify!($case),
                    run: Run::Each(|subject, object| Box::pin(cases::$group::$case(subject, object))),
                },)*
                $(Case {
                    name: stringify!($once),
                    run: Run::Once(|subject| Box::pin(cases::$part::$once(subject))),
                },)*
            ]
        }

        platform_tests!(activecampaign, ActiveCampaign, $($case)* $($once)*);
        platform_tests!(pipedrive, Pipedrive, $($case)* $($once)*);
        platform_tests!(hubspot, HubSpot, $($case)* $($once)*);
        platform_tests!(salesforce, Salesforce, $($case)* $($once)*);
        platform_tests!(zoho, Zoho, $($case)* $($once)*);
        platform_tests!(dynamics, Dynamics, $($case)* $($once)*);
    };
}

macro_rules! platform_tests {
    ($platform:ident, $subject:ident, $($case:ident)*) => {
        mod $platform {
            $(#[tokio::test]
            async fn $case() {
                super::check(&super::subjects::$platform::$subject, stringify!($case)).await;
            })*
        }
    };
}

suite! {
    each {
        describing::describe_is_total_and_stable,
        describing::required_fields_are_required,
        describing::unique_fields_are_unique,
        describing::new_fields_are_made,
        listing::each_record_once_while_rows_change,
        listing::a_list_resumes_in_another_process,
        listing::equal_watermarks_lose_nothing,
        listing::numbers_are_told_or_not,
        listing::deleted_records_are_listed_or_not,
        listing::what_happened_since_is_told_or_not,
        listing::unknown_deleted_and_merged_ids,
        writing::fields_round_trip,
        writing::null_clears_and_absent_leaves,
        writing::an_unknown_field_is_refused,
        writing::a_wrong_type_is_refused,
        writing::an_unknown_option_is_refused,
        batches::one_bad_row_is_refused_alone,
        batches::a_batch_refused_as_a_whole,
        batches::upserts_or_their_refusal,
        losing::an_answer_lost_before_commit,
        losing::an_answer_lost_after_commit,
        losing::an_answer_without_keys_lost,
        losing::half_a_batch_applied,
        losing::a_lost_update_is_sent_again,
        failing::limits_are_waited_out,
        failing::a_spent_day_stops,
        failing::failures_of_reads_pass,
        failing::failures_of_writes_are_unknown,
        failing::slow_answers,
        access::tokens_end_in_the_middle_of_a_list,
        access::missing_rights_are_denied,
        access::nothing_leaks,
        linking::links_are_added_once,
        unlinking::links_are_taken_away_and_others_stay,
        removing::deleted_is_deleted_and_again_is_success,
        removing::a_lost_delete_is_sent_again,
        removing::a_merge_leaves_the_survivor,
        removing::a_lost_merge_is_unknown,
        past::history_names_the_last_change,
        telling::changes_are_told_where_they_are_subscribed_to,
        files::bytes_come_back_identical,
        files::gone_bytes_are_not_found,
        counting::calls_are_the_least_possible,
        counting::the_table_agrees_with_the_system,
    }
    once {
        describing::users_active_and_inactive,
        access::refresh_tokens_are_kept_before_use,
        counting::no_limit_is_met_with_no_reserve,
        counting::no_limit_is_met_with_a_reserve,
    }
}

/// The golden file has exactly the cases of the suite, for every platform and object.
#[test]
fn no_case_has_vanished() {
    let mut expected = Vec::new();
    let all: [&'static dyn Subject; 6] = [
        &subjects::activecampaign::ActiveCampaign,
        &subjects::pipedrive::Pipedrive,
        &subjects::hubspot::HubSpot,
        &subjects::salesforce::Salesforce,
        &subjects::zoho::Zoho,
        &subjects::dynamics::Dynamics,
    ];
    for subject in all {
        every_object_is_under_test(subject);
        for case in cases() {
            let objects = match case.run {
                Run::Each(_) => subject.objects().iter().map(|object| object.name).collect(),
                Run::Once(_) => vec!["*"],
            };
            expected.extend(objects.iter().map(|object| format!("{} {object} {}", subject.name(), case.name)));
        }
    }
    golden::has_exactly(&expected);
}

/// Each object of the dialect is, or one that can exactly the same; and besides one that a customer made.
fn every_object_is_under_test(subject: &dyn Subject) {
    let dialect = subject.dialect();
    let can = |name: &str| {
        let mut can = dialect.capabilities().object(name).unwrap().clone();
        can.object = "any".into();
        // The cases write ordinary batches; large ones have tests of their own.
        can.bulk = None;
        can
    };
    let tested = |name: &str| subject.objects().iter().any(|object| object.name == name);
    for object in dialect.objects() {
        let like = subject.alike().iter().find(|(name, _)| object == *name);
        match like {
            Some((_, "")) => assert!(!tested(object.as_str())),
            Some((_, like)) => {
                assert!(tested(like) && can(object.as_str()) == can(like), "{object} is not like {like}")
            }
            None => assert!(tested(object.as_str()), "{object} is under test"),
        }
    }
    assert!(
        dialect
            .capabilities()
            .custom
            .iter()
            .all(|custom| { subject.objects().iter().any(|object| custom.named.fits(object.name)) })
    );
    assert!(subject.objects().iter().all(|object| dialect.capabilities().object(object.name).is_some()));
}
