//! Activities and who takes part in them.

/// Activities, parties, attachments (sheet: sections 5.6 and 5.8).
pub(super) const TABLES: &str = "\
# ActivityPointer | activitypointers | 4200 | Activity;Activities | user activity track locked states:0 Open=1 Open;1 Completed=2 Completed;2 Canceled=3 Canceled;3 Scheduled=4 Scheduled
Subject | string 400 | *
Description | memo 2000
ActivityTypeCode | table | ro
ScheduledStart | datetime
ScheduledEnd | datetime
ActualStart | datetime
ActualEnd | datetime
ActualDurationMinutes | int 0..2147483647
ScheduledDurationMinutes | int 0..2147483647 | ro
PriorityCode | pick | | 0=Low;1=Normal;2=High
@regarding ActivityPointers
# Task | tasks | 4212 | Task;Tasks | user activity track states:0 Open=2 Not Started,3 In Progress,4 Waiting on someone else,7 Deferred;1 Completed=5 Completed;2 Canceled=6 Canceled
Subject | string 200 | * app
Description | memo 2000
ActivityTypeCode | table | ro
ScheduledStart | datetime
ScheduledEnd | datetime
ActualStart | datetime
ActualEnd | datetime
ActualDurationMinutes | int 0..2147483647
ScheduledDurationMinutes | int 0..2147483647 | ro
PercentComplete | int 0..100
Category | string 250
Subcategory | string 250
PriorityCode | pick | def:1 | 0=Low;1=Normal;2=High
@regarding Tasks
# PhoneCall | phonecalls | 4210 | Phone Call;Phone Calls | user activity track states:0 Open=1 Open;1 Completed=2 Made,4 Received;2 Canceled=3 Canceled
Subject | string 200 | * app
Description | memo 2000
ActivityTypeCode | table | ro
PhoneNumber | string 200
DirectionCode | bool | def:true | Incoming;Outgoing
LeftVoiceMail | bool
ScheduledStart | datetime
ScheduledEnd | datetime
ActualStart | datetime
ActualEnd | datetime
ActualDurationMinutes | int 0..2147483647
ScheduledDurationMinutes | int 0..2147483647 | ro
Category | string 250
Subcategory | string 250
PriorityCode | pick | def:1 | 0=Low;1=Normal;2=High
@regarding Phonecalls
# Email | emails | 4202 | Email Message;Email Messages | user activity track states:0 Open=1 Draft,8 Failed;1 Completed=2 Completed,3 Sent,4 Received,6 Pending Send,7 Sending;2 Canceled=5 Canceled
Subject | string 800 | *
Description | memo 1073741823
ActivityTypeCode | table | ro
DirectionCode | bool | def:true | Incoming;Outgoing
MessageId | string 320
InReplyTo | string 320 | ro
Sender | string 250
ToRecipients | string 500
SubmittedBy | string 250
TrackingToken | string 50
SenderMailboxId | guid | ro
SentOn | datetime | ro
ScheduledStart | datetime
ScheduledEnd | datetime
ActualStart | datetime
ActualEnd | datetime
ActualDurationMinutes | int 0..2147483647
ScheduledDurationMinutes | int 0..2147483647 | ro
ReadReceiptRequested | bool
DeliveryReceiptRequested | bool
AttachmentCount | int | ro
Category | string 250
PriorityCode | pick | def:1 | 0=Low;1=Normal;2=High
@regarding Emails
# Appointment | appointments | 4201 | Appointment;Appointments | user activity track states:0 Open=1 Free,2 Tentative;1 Completed=3 Completed;2 Canceled=4 Canceled;3 Scheduled=5 Busy,6 Out of Office
Subject | string 200 | * app
Description | memo 2000
ActivityTypeCode | table | ro
Location | string 200
IsAllDayEvent | bool
GlobalObjectId | string 300
ScheduledStart | datetime | req
ScheduledEnd | datetime | req
ActualStart | datetime
ActualEnd | datetime
ActualDurationMinutes | int 0..2147483647
ScheduledDurationMinutes | int 0..2147483647 | ro
Category | string 250
Subcategory | string 250
PriorityCode | pick | def:1 | 0=Low;1=Normal;2=High
@regarding Appointments
# ActivityParty | activityparties | 135 | Activity Party;Activity Parties | locked bare
ParticipationTypeMask | pick | | 1=Sender;2=To Recipient;3=CC Recipient;4=BCC Recipient;5=Required attendee;6=Optional attendee;7=Organizer;8=Regarding;9=Owner;10=Resource;11=Customer;12=Chat Participant;13=Related
AddressUsed | email 320
Effort | double 0..1000000000
DoNotEmail | bool | ro
DoNotPhone | bool | ro
VersionNumber | bigint | ro
ActivityId | lookup | c | task task_activity_parties *;phonecall phonecall_activity_parties *;email email_activity_parties *;appointment appointment_activity_parties *
PartyId | lookup | | account account_activity_parties;contact contact_activity_parties;lead lead_activity_parties;opportunity opportunity_activity_parties;incident incident_activity_parties;campaign campaign_activity_parties;systemuser system_user_activity_parties;team team_activity_parties
# ActivityMimeAttachment | activitymimeattachments | 1001 | Attachment;Attachments | single bare
FileName | string 255 | *
MimeType | string 256
Subject | string 2000
Body | memo 1073741823
FileSize | int 0..1000000000 | ro
AttachmentNumber | int 0..1000000000
ObjectTypeCode | table
VersionNumber | bigint | ro
ObjectId | lookup | | email email_activity_mime_attachment *;appointment appointment_activity_mime_attachment *
";
