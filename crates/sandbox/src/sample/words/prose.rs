//! Sentences for notes, activities and deals. `{p}` is a person, `{o}` an organization, `{t}` a topic.

/// What conversations are about.
pub(in crate::sample) const TOPICS: &str = "the framework contract;delivery times;single sign-on;the pilot in plant 2;\
    price list 2026;the data protection annex;on-site training;spare parts;the ERP interface;payment terms;\
    service levels;roll-out to the subsidiaries;the old support portal;volume discounts;the security questionnaire";

/// Sentences of notes, HTML: entities are part of them.
pub(in crate::sample) const SENTENCES: &str = "Spoke with {p} about {t}.|{p} asks for a revised offer on {t}.|\
    Budget is approved, but purchasing wants &gt; 5&nbsp;% off.|Next step: send the summary &amp; agree a date.|\
    Competitor is in the room; they quoted &lt; 40&nbsp;k&euro;.|{p} ist bis Ende des Monats im Urlaub, Vertretung &uuml;ber die Zentrale.|\
    R&uuml;ckfrage zu {t}: bitte bis Freitag kl&auml;ren.|Le client attend le devis r&eacute;vis&eacute; pour {t}.|\
    Decision moved to the next board meeting.|Legal has &quot;no objections&quot; so far.|{p} is our champion, keep them informed on {t}.|\
    They like the demo; open question is {t}.|Wants references from {o}'s industry.|Contract sent by courier &ndash; signature expected soon.|\
    Reminder: the invoice address differs from the delivery address.|見積もりを再送してください。|Просять передзвонити після обіду.";

/// Points of lists in notes, HTML.
pub(in crate::sample) const POINTS: &str = "check {t}|send slides to {p}|book travel|<b>call purchasing</b>|update forecast|\
    ask legal about clause 7|confirm number of seats|Angebot aktualisieren|<i>second</i> demo for IT";

/// Subjects of calls.
pub(in crate::sample) const CALL_SUBJECTS: &str =
    "Call {p};Follow-up call on {t};Rückruf {p};Discovery call;Check-in with {p};Renewal call";
/// Subjects of meetings.
pub(in crate::sample) const MEETING_SUBJECTS: &str =
    "Demo for {o};Workshop: {t};Quarterly review {o};Kick-off;On-site visit {o};Vertragsgespräch";
/// Subjects of tasks.
pub(in crate::sample) const TASK_SUBJECTS: &str =
    "Send offer;Prepare slides on {t};Update contact data of {p};Angebot nachfassen;Fill in questionnaire";
/// Subjects of deadlines.
pub(in crate::sample) const DEADLINE_SUBJECTS: &str = "Tender closes;Offer expires;Contract ends;Answer due on {t}";
/// Subjects of e-mail activities.
pub(in crate::sample) const EMAIL_SUBJECTS: &str = "E-mail: {t};Send references to {p};Re: {t};Thank-you note";
/// Subjects of lunches.
pub(in crate::sample) const LUNCH_SUBJECTS: &str = "Lunch with {p};Mittagessen {o};Team lunch at the fair";

/// What deals are for.
pub(in crate::sample) const DEAL_TITLES: &str = "{o}: platform licence;{o} – roll-out;{o} pilot;Upgrade {o};Service contract {o};\
    {o} – Rahmenvertrag;Training days for {o};{o} / integration project;Spare parts {o};{o} (renewal)";
/// Why deals are lost.
pub(in crate::sample) const LOST_REASONS: &str = "Price too high;Chose a competitor;No budget;No decision;Project cancelled;\
    Missing feature;Kein Bedarf;Contact left the company";

/// Positions of people.
pub(in crate::sample) const POSITIONS: &str = "Head of Purchasing;CEO;IT Manager;Operations Manager;Einkäuferin;Geschäftsführer;\
    Project Lead;CFO;Sales Director;Assistant;Plant Manager;Responsable achats;Data Protection Officer;Engineer";
/// Departments.
pub(in crate::sample) const DEPARTMENTS: &str = "Purchasing;IT;Operations;Finance;Sales;Marketing;Legal;Production;HR";
/// Software of customers.
pub(in crate::sample) const SYSTEMS: &str =
    "Blue Ledger 9;Kontor ERP;OpenBooks;StockPilot;Warenwirtschaft Plus;none;in-house";
/// Rivals.
pub(in crate::sample) const COMPETITORS: &str = "Vantor;Quillstack;Bergmann Systems;DataHarbour;none known";
