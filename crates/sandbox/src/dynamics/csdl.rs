//! `$metadata`: a small CSDL (sheet: section 3), without annotations.

use super::refusal::Answer;
use super::relations::Nav;
use super::schema::Entity;
use super::world::World;
use crate::Reply;

/// `GET /$metadata`.
pub(super) fn answer(world: &World) -> Answer {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"4.0\" \
         xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices><Schema \
         Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\
         <EntityType Name=\"crmbaseentity\" Abstract=\"true\" />",
    );
    for entity in world.schema.entities.values() {
        table(world, entity, &mut text);
    }
    text.push_str("<EntityContainer Name=\"System\">");
    for entity in world.schema.entities.values() {
        text.push_str(&format!(
            "<EntitySet Name=\"{}\" EntityType=\"Microsoft.Dynamics.CRM.{}\" />",
            entity.set, entity.name
        ));
    }
    text.push_str("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>");
    let kind = ("content-type".to_owned(), "application/xml".to_owned());
    Ok(Reply { status: 200, headers: vec![kind], body: text.into_bytes() })
}

fn table(world: &World, entity: &Entity, text: &mut String) {
    let base = if entity.activity && entity.name != "activitypointer" { "activitypointer" } else { "crmbaseentity" };
    text.push_str(&format!("<EntityType Name=\"{}\" BaseType=\"mscrm.{base}\">", entity.name));
    text.push_str(&format!("<Key><PropertyRef Name=\"{}\" /></Key>", entity.primary_id));
    for attribute in entity.attributes.iter().filter(|attribute| attribute.read) {
        text.push_str(&format!("<Property Name=\"{}\" Type=\"{}\" />", attribute.property(), attribute.edm()));
    }
    for (name, nav) in world.schema.navs(&entity.name) {
        let target = nav.target();
        match nav {
            Nav::Parent(relation) => {
                let key = world.schema.entity(target).map_or("", |entity| entity.primary_id.as_str());
                text.push_str(&format!(
                    "<NavigationProperty Name=\"{name}\" Type=\"mscrm.{target}\" Nullable=\"false\" Partner=\"{}\">\
                     <ReferentialConstraint Property=\"_{}_value\" ReferencedProperty=\"{key}\" /></NavigationProperty>",
                    relation.schema_name, relation.attribute
                ));
            }
            Nav::Children(_) | Nav::Paired(..) => {
                text.push_str(&format!("<NavigationProperty Name=\"{name}\" Type=\"Collection(mscrm.{target})\" />"));
            }
        }
    }
    text.push_str("</EntityType>");
}
