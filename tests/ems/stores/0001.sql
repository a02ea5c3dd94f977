BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE "conflict" (
	epoch INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	instant BIGINT NOT NULL, 
	count BIGINT NOT NULL, 
	source TEXT NOT NULL, 
	received BIGINT NOT NULL, 
	CONSTRAINT pk_conflict PRIMARY KEY (epoch, kind, name, instant, count), 
	CONSTRAINT fk_conflict_epoch FOREIGN KEY(epoch) REFERENCES epoch (id)
)
 WITHOUT ROWID

;
INSERT INTO "conflict" VALUES(1,'demand','normal',1748727000,9,'fixed',1748728820);
INSERT INTO "conflict" VALUES(1,'reading','energy',1748723400,999968,'history',1748723420);
CREATE TABLE demand (
	epoch INTEGER NOT NULL, 
	direction TEXT NOT NULL, 
	start BIGINT NOT NULL, 
	count BIGINT, 
	source TEXT NOT NULL, 
	received BIGINT NOT NULL, 
	CONSTRAINT pk_demand PRIMARY KEY (epoch, direction, start), 
	CONSTRAINT fk_demand_epoch FOREIGN KEY(epoch) REFERENCES epoch (id)
)
 WITHOUT ROWID

;
INSERT INTO "demand" VALUES(1,'normal',1748705400,4,'fixed',1748707220);
INSERT INTO "demand" VALUES(1,'normal',1748709000,6,'fixed',1748710820);
INSERT INTO "demand" VALUES(1,'normal',1748712600,4,'fixed',1748714420);
INSERT INTO "demand" VALUES(1,'normal',1748716200,6,'fixed',1748718020);
INSERT INTO "demand" VALUES(1,'normal',1748719800,4,'fixed',1748721620);
INSERT INTO "demand" VALUES(1,'normal',1748723400,6,'fixed',1748725220);
INSERT INTO "demand" VALUES(1,'normal',1748727000,4,'fixed',1748728820);
INSERT INTO "demand" VALUES(1,'normal',1748730600,6,'fixed',1748732420);
INSERT INTO "demand" VALUES(1,'normal',1748734200,4,'fixed',1748736020);
INSERT INTO "demand" VALUES(1,'normal',1748737800,6,'fixed',1748739620);
INSERT INTO "demand" VALUES(1,'normal',1748741400,4,'fixed',1748743220);
INSERT INTO "demand" VALUES(1,'normal',1748745000,6,'fixed',1748746820);
INSERT INTO "demand" VALUES(1,'normal',1748748600,4,'fixed',1748750420);
INSERT INTO "demand" VALUES(1,'normal',1748752200,6,'fixed',1748754020);
INSERT INTO "demand" VALUES(1,'normal',1748755800,4,'fixed',1748757620);
INSERT INTO "demand" VALUES(1,'normal',1748759400,6,'fixed',1748761220);
INSERT INTO "demand" VALUES(1,'normal',1748763000,4,'fixed',1748764820);
INSERT INTO "demand" VALUES(1,'normal',1748766600,6,'fixed',1748768420);
INSERT INTO "demand" VALUES(1,'normal',1748770200,4,'fixed',1748772020);
INSERT INTO "demand" VALUES(1,'normal',1748773800,6,'fixed',1748775620);
INSERT INTO "demand" VALUES(1,'normal',1748777400,4,'fixed',1748779220);
INSERT INTO "demand" VALUES(1,'normal',1748781000,6,'fixed',1748782820);
INSERT INTO "demand" VALUES(1,'normal',1748784600,4,'fixed',1748786420);
INSERT INTO "demand" VALUES(1,'normal',1748788200,6,'fixed',1748790020);
INSERT INTO "demand" VALUES(1,'normal',1748791800,4,'fixed',1748793620);
INSERT INTO "demand" VALUES(1,'normal',1748795400,6,'fixed',1748797220);
INSERT INTO "demand" VALUES(1,'normal',1748799000,4,'fixed',1748800820);
INSERT INTO "demand" VALUES(1,'normal',1748802600,6,'fixed',1748804420);
INSERT INTO "demand" VALUES(1,'normal',1748806200,4,'fixed',1748808020);
INSERT INTO "demand" VALUES(1,'normal',1748809800,6,'fixed',1748811620);
INSERT INTO "demand" VALUES(2,'normal',1748811600,NULL,'fixed',1748813420);
CREATE TABLE epoch (
	id INTEGER NOT NULL, 
	meter TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	started_at BIGINT NOT NULL, 
	class_code INTEGER NOT NULL, 
	serial TEXT, 
	fixed_day INTEGER, 
	current_coefficient INTEGER NOT NULL, 
	voltage_coefficient INTEGER NOT NULL, 
	CONSTRAINT pk_epoch PRIMARY KEY (id), 
	CONSTRAINT fk_epoch_meter FOREIGN KEY(meter) REFERENCES meter (id), 
	CONSTRAINT uq_epoch_meter_number UNIQUE (meter, number)
);
INSERT INTO "epoch" VALUES(1,'main',1,1735689600,650,'A1',20,1,1);
INSERT INTO "epoch" VALUES(2,'main',2,1748811600,650,'B2',NULL,1,1);
INSERT INTO "epoch" VALUES(3,'solar',1,1735689600,650,'S9',NULL,1,1);
CREATE TABLE event (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	meter TEXT, 
	level TEXT NOT NULL, 
	code TEXT NOT NULL, 
	params JSON NOT NULL, 
	CONSTRAINT pk_event PRIMARY KEY (id), 
	CONSTRAINT fk_event_meter FOREIGN KEY(meter) REFERENCES meter (id)
);
INSERT INTO "event" VALUES(1,1748703600,NULL,'info','started','{}');
INSERT INTO "event" VALUES(2,1748811600,'main','caution','replaced','{"serial": "B2", "n": 3}');
CREATE TABLE history_read (
	epoch INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	property TEXT NOT NULL, 
	read_at BIGINT NOT NULL, 
	elements INTEGER NOT NULL, 
	no_data INTEGER NOT NULL, 
	reads INTEGER NOT NULL, 
	CONSTRAINT pk_history_read PRIMARY KEY (epoch, day, property), 
	CONSTRAINT fk_history_read_epoch FOREIGN KEY(epoch) REFERENCES epoch (id)
)
 WITHOUT ROWID

;
INSERT INTO "history_read" VALUES(1,'2025-03-01','energy_history',1748962800,0,0,1);
INSERT INTO "history_read" VALUES(1,'2025-06-01','energy_history',1748962800,48,2,2);
INSERT INTO "history_read" VALUES(2,'2025-06-02','energy_history',1748966400,48,0,1);
CREATE TABLE meter (
	id TEXT NOT NULL, 
	label TEXT NOT NULL, 
	role TEXT NOT NULL, 
	class_code INTEGER NOT NULL, 
	address TEXT NOT NULL, 
	ceiling_kw TEXT, 
	added_at BIGINT NOT NULL, 
	CONSTRAINT pk_meter PRIMARY KEY (id)
);
INSERT INTO "meter" VALUES('main','受電','buy',650,'127.0.0.2','2400',1735689600);
INSERT INTO "meter" VALUES('solar','太陽光','sell',650,'127.0.0.2',NULL,1735689600);
CREATE TABLE reading (
	epoch INTEGER NOT NULL, 
	register TEXT NOT NULL, 
	instant BIGINT NOT NULL, 
	count BIGINT, 
	source TEXT NOT NULL, 
	received BIGINT NOT NULL, 
	stamped BOOLEAN NOT NULL, 
	CONSTRAINT pk_reading PRIMARY KEY (epoch, register, instant), 
	CONSTRAINT fk_reading_epoch FOREIGN KEY(epoch) REFERENCES epoch (id)
)
 WITHOUT ROWID

;
INSERT INTO "reading" VALUES(1,'energy',1748703600,999900,'history',1748703620,1);
INSERT INTO "reading" VALUES(1,'energy',1748705400,999905,'fixed',1748705420,1);
INSERT INTO "reading" VALUES(1,'energy',1748707200,999911,'fixed',1748707220,1);
INSERT INTO "reading" VALUES(1,'energy',1748709000,999918,'fixed',1748709020,1);
INSERT INTO "reading" VALUES(1,'energy',1748710800,999923,'fixed',1748710820,1);
INSERT INTO "reading" VALUES(1,'energy',1748712600,999929,'history',1748712620,1);
INSERT INTO "reading" VALUES(1,'energy',1748714400,999936,'fixed',1748714420,1);
INSERT INTO "reading" VALUES(1,'energy',1748716200,NULL,'history',1748716220,1);
INSERT INTO "reading" VALUES(1,'energy',1748718000,NULL,'history',1748718020,1);
INSERT INTO "reading" VALUES(1,'energy',1748719800,999954,'fixed',1748719820,1);
INSERT INTO "reading" VALUES(1,'energy',1748721600,999959,'history',1748721620,1);
INSERT INTO "reading" VALUES(1,'energy',1748723400,999965,'fixed',1748723420,1);
INSERT INTO "reading" VALUES(1,'energy',1748725200,999972,'fixed',1748725220,1);
INSERT INTO "reading" VALUES(1,'energy',1748727000,999977,'fixed',1748727020,1);
INSERT INTO "reading" VALUES(1,'energy',1748728800,999983,'fixed',1748728820,1);
INSERT INTO "reading" VALUES(1,'energy',1748730600,999990,'history',1748730620,1);
INSERT INTO "reading" VALUES(1,'energy',1748732400,999995,'fixed',1748732420,1);
INSERT INTO "reading" VALUES(1,'energy',1748734200,1,'fixed',1748734220,1);
INSERT INTO "reading" VALUES(1,'energy',1748736000,8,'fixed',1748736020,1);
INSERT INTO "reading" VALUES(1,'energy',1748737800,13,'fixed',1748737820,1);
INSERT INTO "reading" VALUES(1,'energy',1748741400,26,'fixed',1748741420,1);
INSERT INTO "reading" VALUES(1,'energy',1748743200,31,'fixed',1748743220,1);
INSERT INTO "reading" VALUES(1,'energy',1748745000,37,'fixed',1748745020,1);
INSERT INTO "reading" VALUES(1,'energy',1748746800,44,'fixed',1748746820,1);
INSERT INTO "reading" VALUES(1,'energy',1748748600,49,'history',1748748620,1);
INSERT INTO "reading" VALUES(1,'energy',1748750400,55,'fixed',1748750420,1);
INSERT INTO "reading" VALUES(1,'energy',1748752200,62,'fixed',1748752220,1);
INSERT INTO "reading" VALUES(1,'energy',1748754000,67,'fixed',1748754020,1);
INSERT INTO "reading" VALUES(1,'energy',1748755800,73,'fixed',1748755820,1);
INSERT INTO "reading" VALUES(1,'energy',1748757600,80,'history',1748757620,1);
INSERT INTO "reading" VALUES(1,'energy',1748759400,85,'fixed',1748759420,1);
INSERT INTO "reading" VALUES(1,'energy',1748761200,91,'fixed',1748761220,1);
INSERT INTO "reading" VALUES(1,'energy',1748763000,98,'fixed',1748763020,1);
INSERT INTO "reading" VALUES(1,'energy',1748764800,103,'fixed',1748764820,1);
INSERT INTO "reading" VALUES(1,'energy',1748766600,109,'history',1748766620,1);
INSERT INTO "reading" VALUES(1,'energy',1748768400,116,'fixed',1748768420,1);
INSERT INTO "reading" VALUES(1,'energy',1748770200,121,'fixed',1748770220,1);
INSERT INTO "reading" VALUES(1,'energy',1748772000,127,'fixed',1748772020,1);
INSERT INTO "reading" VALUES(1,'energy',1748773800,134,'fixed',1748773820,1);
INSERT INTO "reading" VALUES(1,'energy',1748775600,139,'history',1748775620,1);
INSERT INTO "reading" VALUES(1,'energy',1748777400,145,'fixed',1748777420,1);
INSERT INTO "reading" VALUES(1,'energy',1748779200,152,'fixed',1748779220,1);
INSERT INTO "reading" VALUES(1,'energy',1748781000,157,'fixed',1748781020,1);
INSERT INTO "reading" VALUES(1,'energy',1748782800,163,'fixed',1748782820,1);
INSERT INTO "reading" VALUES(1,'energy',1748784600,170,'history',1748784620,1);
INSERT INTO "reading" VALUES(1,'energy',1748786400,175,'fixed',1748786420,1);
INSERT INTO "reading" VALUES(1,'energy',1748788200,181,'fixed',1748788220,1);
INSERT INTO "reading" VALUES(1,'energy',1748790000,188,'fixed',1748790020,1);
INSERT INTO "reading" VALUES(1,'energy',1748791800,193,'fixed',1748791820,1);
INSERT INTO "reading" VALUES(1,'energy',1748793600,199,'history',1748793620,1);
INSERT INTO "reading" VALUES(1,'energy',1748795400,206,'fixed',1748795420,1);
INSERT INTO "reading" VALUES(1,'energy',1748797200,211,'fixed',1748797220,1);
INSERT INTO "reading" VALUES(1,'energy',1748799000,217,'fixed',1748799020,1);
INSERT INTO "reading" VALUES(1,'energy',1748800800,224,'fixed',1748800820,1);
INSERT INTO "reading" VALUES(1,'energy',1748802600,229,'history',1748802620,1);
INSERT INTO "reading" VALUES(1,'energy',1748804400,235,'fixed',1748804420,1);
INSERT INTO "reading" VALUES(1,'energy',1748806200,242,'fixed',1748806220,1);
INSERT INTO "reading" VALUES(1,'energy',1748808000,247,'fixed',1748808020,1);
INSERT INTO "reading" VALUES(1,'energy',1748809800,253,'fixed',1748809820,1);
INSERT INTO "reading" VALUES(1,'reactive_lag',1748739600,77,'fixed',1748739620,1);
INSERT INTO "reading" VALUES(1,'reactive_lag',1748741400,78,'fixed',1748741420,1);
INSERT INTO "reading" VALUES(2,'energy',1748811600,0,'fixed',1748811620,1);
INSERT INTO "reading" VALUES(2,'energy',1748813400,4,'fixed',1748813420,1);
INSERT INTO "reading" VALUES(2,'energy',1748815200,9,'fixed',1748815220,1);
INSERT INTO "reading" VALUES(2,'energy',1748817000,NULL,'fixed',1748817020,1);
INSERT INTO "reading" VALUES(2,'energy',1748818800,21,'fixed',1748818820,1);
INSERT INTO "reading" VALUES(3,'energy_reverse',1748703600,5,'fixed',1748703620,1);
INSERT INTO "reading" VALUES(3,'energy_reverse',1748705400,6,'fixed',1748705420,1);
CREATE TABLE sample (
	epoch INTEGER NOT NULL, 
	register TEXT NOT NULL, 
	instant BIGINT NOT NULL, 
	count BIGINT NOT NULL, 
	received BIGINT NOT NULL, 
	CONSTRAINT pk_sample PRIMARY KEY (epoch, register, instant), 
	CONSTRAINT fk_sample_epoch FOREIGN KEY(epoch) REFERENCES epoch (id)
)
 WITHOUT ROWID

;
INSERT INTO "sample" VALUES(1,'energy',1748810400,4,1748810420);
INSERT INTO "sample" VALUES(1,'energy',1748810410,5,1748810430);
INSERT INTO "sample" VALUES(1,'energy',1748810420,6,1748810440);
INSERT INTO "sample" VALUES(1,'energy',1748810430,7,1748810450);
INSERT INTO "sample" VALUES(1,'energy',1748810440,8,1748810460);
INSERT INTO "sample" VALUES(1,'energy',1748810450,9,1748810470);
CREATE TABLE scale (
	epoch INTEGER NOT NULL, 
	what TEXT NOT NULL, 
	coefficient INTEGER NOT NULL, 
	multiplier TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	digits INTEGER, 
	CONSTRAINT pk_scale PRIMARY KEY (epoch, what), 
	CONSTRAINT fk_scale_epoch FOREIGN KEY(epoch) REFERENCES epoch (id)
)
 WITHOUT ROWID

;
INSERT INTO "scale" VALUES(1,'cumulative_demand',1,'1','1',NULL);
INSERT INTO "scale" VALUES(1,'demand',60,'1','0.0001',4);
INSERT INTO "scale" VALUES(1,'energy',60,'1','0.0001',6);
INSERT INTO "scale" VALUES(1,'reactive',7,'1000','1E+3',8);
INSERT INTO "scale" VALUES(2,'demand',120,'1','0.1',4);
INSERT INTO "scale" VALUES(2,'energy',120,'1','0.1',7);
INSERT INTO "scale" VALUES(3,'demand',0,'1','0.1',4);
INSERT INTO "scale" VALUES(3,'energy',0,'1','0.1',6);
CREATE INDEX ix_event_at ON event (at);
CREATE INDEX ix_event_meter_at ON event (meter, at);
COMMIT;
