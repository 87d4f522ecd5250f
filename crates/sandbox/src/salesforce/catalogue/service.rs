//! Cases, tasks, events, notes, attachments and files.

/// Cases (\[fixture\]) and their statuses.
pub(super) const CASES: &str = "\
# Case | 500 | Case | Cases | undelete
MasterRecordId | reference | n | Case
CaseNumber | string 30 | dNLA
ContactId | reference | cun | Contact>Cases!
AccountId | reference | cun | Account>Cases!
ParentId | reference | cun | Case>Cases
RecordTypeId | reference | cun | RecordType
SuppliedName | string 80 | cun
SuppliedEmail | email 80 | cun
SuppliedPhone | string 40 | cun
SuppliedCompany | string 80 | cun
Type | picklist 40 | cun |  | Mechanical;Electrical;Electronic;Structural;Other
Status | picklist 40 | cund |  | New*;Working;Escalated;Closed
Reason | picklist 40 | cun |  | Installation;Equipment Complexity;Performance;Breakdown;Equipment Design;Feedback;Other
Origin | picklist 40 | cun |  | Phone;Email;Web
Subject | string 255 | cun
Priority | picklist 40 | cund |  | High;Medium*;Low
Description | textarea 32000 | cunFS
IsClosed | boolean | d
ClosedDate | datetime | n
IsEscalated | boolean | cud
OwnerId | reference | cud | Group,User
ContactPhone | phone 40 | n
ContactMobile | phone 40 | n
ContactEmail | email 80 | n
ContactFax | phone 40 | n
Comments | textarea 4000 | cunF
LastViewedDate | datetime | n
LastReferencedDate | datetime | n
# CaseComment | 00a | Case Comment | Case Comments | plain
ParentId | reference | c | Case>CaseComments*
IsPublished | boolean | cud
CommentBody | textarea 4000 | cunFS
# CaseStatus | 01D | Case Status Value | Case Status Values | setup
MasterLabel | string 255 | nN
ApiName | string 255 | n
SortOrder | int 9 | n
IsDefault | boolean | d
IsClosed | boolean | d
# TaskStatus | 01T | Task Status Value | Task Status Values | setup
MasterLabel | string 255 | nN
ApiName | string 255 | n
SortOrder | int 9 | n
IsDefault | boolean | d
IsClosed | boolean | d
";

/// Tasks (\[unsure\]: no recording) and events (\[fixture\]).
pub(super) const ACTIVITIES: &str = "\
# Task | 00T | Task | Tasks | undelete
WhoId | reference | cun | Contact>Tasks*,Lead>Tasks*
WhatId | reference | cun | Account>Tasks*,Campaign>Tasks*,Case>Tasks*,Opportunity>Tasks*,Product2>Tasks*,CUSTOM
RecordTypeId | reference | cun | RecordType
Subject | combobox 255 | cunN |  | Call;Send Letter;Send Quote;Other
ActivityDate | date | cun
Status | picklist 255 | cud |  | Not Started*;In Progress;Completed;Waiting on someone else;Deferred
Priority | picklist 255 | cud |  | High;Normal*;Low
IsHighPriority | boolean | d
OwnerId | reference | cud | Group,User
Description | textarea 32000 | cunFS
AccountId | reference | n | Account
IsClosed | boolean | d
IsArchived | boolean | d
CallDurationInSeconds | int 8 | cun
CallType | picklist 40 | cunr |  | Internal;Inbound;Outbound
CallDisposition | string 255 | cun
CallObject | string 255 | cun
ReminderDateTime | datetime | cun
IsReminderSet | boolean | cud
CompletedDateTime | datetime | n
TaskSubtype | picklist 40 | cndr |  | Task*;Email;ListEmail;Cadence;Call;LinkedIn
# Event | 00U | Event | Events | undelete
WhoId | reference | cun | Contact>Events*,Lead>Events*
WhatId | reference | cun | Account>Events*,Campaign>Events*,Case>Events*,Opportunity>Events*,Product2>Events*,CUSTOM
RecordTypeId | reference | cun | RecordType
Subject | combobox 255 | cunN |  | Call;Email;Meeting;Send Letter/Quote;Other
Location | string 255 | cun
IsAllDayEvent | boolean | cud
ActivityDateTime | datetime | cun
ActivityDate | date | cun
DurationInMinutes | int 8 | cun
StartDateTime | datetime | cun
EndDateTime | datetime | cun
EndDate | date | n
Description | textarea 32000 | cunFS
AccountId | reference | n | Account
OwnerId | reference | cud | User
IsPrivate | boolean | cud
ShowAs | picklist 40 | cundr |  | Busy*;OutOfOffice;Free
IsChild | boolean | d
IsGroupEvent | boolean | d
IsArchived | boolean | d
ReminderDateTime | datetime | cun
IsReminderSet | boolean | cud
EventSubtype | picklist 40 | cndr |  | Event*
";

/// Notes, attachments and files (\[unsure\]: no recording).
pub(super) const CONTENT: &str = "\
# Note | 002 | Note | Notes | undelete
ParentId | reference | cu | Account>Notes*,Campaign>Notes*,Contact>Notes*,Lead>Notes*,Opportunity>Notes*,Product2>Notes*,CUSTOM
Title | string 80 | cuN
IsPrivate | boolean | cud
Body | textarea 32000 | cunFS
OwnerId | reference | cud | User
# Attachment | 00P | Attachment | Attachments | undelete
ParentId | reference | cu | Account>Attachments*,Campaign>Attachments*,Case>Attachments*,Contact>Attachments*,Event>Attachments*,Lead>Attachments*,Opportunity>Attachments*,Product2>Attachments*,Task>Attachments*,CUSTOM
Name | string 255 | cuN
IsPrivate | boolean | cud
ContentType | string 120 | cun
BodyLength | int 9 | n
Body | base64 | cuFS
OwnerId | reference | cud | User
Description | string 500 | cun
# ContentVersion | 068 | Content Version | Content Versions | plain
ContentDocumentId | reference | cn | ContentDocument>ContentVersions*
IsLatest | boolean | d
ContentUrl | url 1333 | cun
VersionNumber | string 20 | n
Title | string 255 | cudN
Description | textarea 1000 | cun
ReasonForChange | string 1000 | cun
PathOnClient | string 500 | cn
FileType | string 20 | n
FileExtension | string 40 | n
PublishStatus | picklist 40 | nr |  | U;P;R
ContentSize | int 9 | n
ContentModifiedDate | datetime | n
FirstPublishLocationId | reference | cn | Account,Campaign,Case,Contact,Event,Lead,Opportunity,Product2,Task,User,CUSTOM
VersionData | base64 | cnFS
Checksum | string 50 | n
OwnerId | reference | cud | User
ContentLocation | picklist 40 | cnr |  | S;E;L
Origin | picklist 40 | cnr |  | C;H
# ContentDocument | 069 | Content Document | Content Documents | undelete nocreate
Title | string 255 | uN
Description | textarea 1000 | un
PublishStatus | picklist 40 | nr |  | U;P;R
LatestPublishedVersionId | reference | n | ContentVersion
FileType | string 20 | n
FileExtension | string 40 | n
ContentSize | int 9 | n
IsArchived | boolean | d
OwnerId | reference | ud | User
# ContentDocumentLink | 06A | Content Document Link | Content Document Links | plain
ContentDocumentId | reference | c | ContentDocument>ContentDocumentLinks*
LinkedEntityId | reference | c | Account>ContentDocumentLinks*,Campaign>ContentDocumentLinks*,Case>ContentDocumentLinks*,Contact>ContentDocumentLinks*,Event>ContentDocumentLinks*,Lead>ContentDocumentLinks*,Opportunity>ContentDocumentLinks*,Product2>ContentDocumentLinks*,Task>ContentDocumentLinks*,User>ContentDocumentLinks*,CUSTOM
ShareType | picklist 40 | cunr |  | V;C;I
Visibility | picklist 40 | cundr |  | AllUsers*;InternalUsers;SharedUsers
";
