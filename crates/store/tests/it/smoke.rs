use handover_store::{Location, Store};

#[tokio::test]
async fn opens() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse("state/handover.db", folder.path()).unwrap();
    let store = Store::open(&location).await.unwrap();
    assert_eq!(store.reserve_identities(3).await.unwrap(), 1);
    assert_eq!(store.reserve_identities(3).await.unwrap(), 4);
    let id = store.begin_pass(jiff::Timestamp::UNIX_EPOCH, "h", "backfill", serde_json::json!({})).await.unwrap();
    assert_eq!(id, 1);
    let fork = store.fork().await.unwrap();
    assert_eq!(fork.reserve_identities(1).await.unwrap(), 7);
    println!("{:?}", store.verify(|_, _| ()).await.unwrap());
}
