//! Cases, notes with files, connections.

/// Cases, notes, connections (sheet: sections 5.6, 5.8 and 9; the note \[fixture\]).
pub(super) const TABLES: &str = "\
# Incident | incidents | 112 | Case;Cases | user track merge money states:0 Active=1 In Progress,2 On Hold,3 Waiting for Details,4 Researching;1 Resolved=5 Problem Solved,1000 Information Provided;2 Cancelled=6 Cancelled,2000 Merged
Title | string 200 | * app
TicketNumber | string 100 | c
Description | memo 2000
CaseOriginCode | pick | | 1=Phone;2=Email;3=Web;2483=Facebook;3986=Twitter
CaseTypeCode | pick | | 1=Question;2=Problem;3=Request
PriorityCode | pick | def:2 | 1=High;2=Normal;3=Low
SeverityCode | pick | def:1 | 1=Default Value
CustomerSatisfactionCode | pick | | 5=Very Satisfied;4=Satisfied;3=Neutral;2=Dissatisfied;1=Very Dissatisfied
IncidentStageCode | pick | def:1 | 1=Default Value
ProductSerialNumber | string 100
EmailAddress | email 100
FollowupBy | date
ResolveBy | datetime
IsEscalated | bool
CustomerId | customer | req | account incident_customer_accounts *;contact incident_customer_contacts *
PrimaryContactId | lookup | | contact contact_as_primary_contact
ResponsibleContactId | lookup | | contact contact_as_responsible_contact
ParentCaseId | lookup | | incident incident_parent_incident
ProductId | lookup | | product product_incidents !
MasterId | lookup | ro | incident incident_master_incident
Merged | bool | ro
# IncidentResolution | incidentresolutions | 4206 | Case Resolution;Case Resolutions | user activity states:0 Open=1 Open;1 Completed=2 Closed;2 Canceled=3 Canceled
Subject | string 200 | *
Description | memo 2000
TimeSpent | int 0..2147483647
IncidentId | lookup | c | incident Incident_IncidentResolutions *
# Annotation | annotations | 5 | Note;Notes | user track
Subject | string 500 | * app
NoteText | memo 100000
IsDocument | bool | c
FileName | string 255
MimeType | string 256
DocumentBody | memo 1073741823
FileSize | int 0..1000000000 | ro
LangId | string 2
StepId | string 32
IsPrivate | bool | ro hid
ObjectTypeCode | table | ro
ObjectId | lookup | | account Account_Annotation *;contact Contact_Annotation *;lead Lead_Annotation *;opportunity Opportunity_Annotation *;incident Incident_Annotation *;task Task_Annotation *;phonecall PhoneCall_Annotation *;email Email_Annotation *;appointment Appointment_Annotation *;product Product_Annotation *;campaign Campaign_Annotation *;list List_Annotation *
# ConnectionRole | connectionroles | 3231 | Connection Role;Connection Roles | org states:0 Active=1 Active;1 Inactive=2 Inactive
Name | string 100 | * req
Description | memo 2000
Category | pick | | 1=Business;2=Family;3=Social;4=Sales;5=Other;1000=Stakeholder;1001=Sales Team;1002=Service
# Connection | connections | 3234 | Connection;Connections | user track states:0 Active=1 Active;1 Inactive=2 Inactive
Name | string 500 | * ro
Description | memo 2000
EffectiveStart | date
EffectiveEnd | date
IsMaster | bool | ro
RelatedConnectionId | lookup | ro | connection connection_related_connection
Record1RoleId | lookup | | connectionrole connection_role_connections1
Record2RoleId | lookup | | connectionrole connection_role_connections2
Record1ObjectTypeCode | table | ro
Record2ObjectTypeCode | table | ro
Record1Id | lookup | req | account account_connections1 *;contact contact_connections1 *;lead lead_connections1 *;opportunity opportunity_connections1 *;incident incident_connections1 *;product product_connections1 *;systemuser systemuser_connections1 *;campaign campaign_connections1 *
Record2Id | lookup | req | account account_connections2 *;contact contact_connections2 *;lead lead_connections2 *;opportunity opportunity_connections2 *;incident incident_connections2 *;product product_connections2 *;systemuser systemuser_connections2 *;campaign campaign_connections2 *
";
