//! The sample company's synced e-mail.

use handover_sandbox::sample::{self, Company};

use crate::sample::{SEEDS, by_id, is_live, list};

#[test]
fn mail_hangs_on_people_and_deals_that_can_be_carried() {
    for seed in SEEDS {
        let Company { pipedrive, facts, .. } = sample::company(seed);
        let mails = list(&pipedrive, "mail_messages");
        assert_eq!(mails.len(), 240, "seed {seed}");
        assert_eq!(mails.iter().filter(|mail| mail["draft_flag"] == 1).count(), 1, "seed {seed}");
        let (persons, deals) = (by_id(&pipedrive, "persons"), by_id(&pipedrive, "deals"));
        let mut several = 0;
        for mail in mails {
            let linked: Vec<u64> = ["from", "to", "cc"]
                .into_iter()
                .flat_map(|name| list(mail, name))
                .filter_map(|party| party["linked_person_id"].as_u64())
                .collect();
            assert!(linked.iter().all(|id| is_live(persons[id]) && persons[id]["owner_id"] != facts.departed_user));
            if let Some(deal) = mail["deal_id"].as_u64() {
                assert!(is_live(deals[&deal]) && !facts.untranslated_deals.contains(&deal), "seed {seed}");
            }
            let records = linked.len() + usize::from(!mail["deal_id"].is_null());
            assert!(records > 0, "seed {seed}: a message that hangs on nothing is seen by nobody");
            several += usize::from(records > 1);
        }
        assert!(several > 50, "seed {seed}");
    }
}
