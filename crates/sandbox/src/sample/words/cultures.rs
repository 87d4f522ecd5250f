//! Where the sample's people and companies come from.

/// People, companies and places of one language area.
pub(in crate::sample) struct Culture {
    /// Two letters: the country of phones and addresses.
    pub(in crate::sample) code: &'static str,
    /// The country as an address writes it.
    pub(in crate::sample) country: &'static str,
    /// How many of 100 records come from here.
    pub(in crate::sample) weight: u32,
    /// The currency of its deals.
    pub(in crate::sample) currency: &'static str,
    /// The time zone of its offices.
    pub(in crate::sample) zone: &'static str,
    /// Whether the family name is written first.
    pub(in crate::sample) family_first: bool,
    /// Given names.
    pub(in crate::sample) firsts: &'static str,
    /// Family names.
    pub(in crate::sample) lasts: &'static str,
    /// First words of company names.
    pub(in crate::sample) stems: &'static str,
    /// Second words of company names.
    pub(in crate::sample) branches: &'static str,
    /// Company names: `{s}` is the stem, `{b}` the branch.
    pub(in crate::sample) forms: &'static str,
    /// Places as `locality|region|postal code|district`.
    pub(in crate::sample) cities: &'static str,
    /// Streets.
    pub(in crate::sample) streets: &'static str,
}

const LATIN_STEMS: &str = "Nordlys;Falken;Aurora;Brück=Brueck;Castell;Delta Nova;Elbwind;Feldmark;Grünwald=Gruenwald;\
    Hellas;Ibex;Jura;Kestrel;Lindenhof;Montara;Nebula;Ostara;Polaris;Quarz;Rhenus Alt;Silva;Tessera;Umbra;Vela;\
    Westend;Xenia;Ypsilon;Zenit;Alba;Boréal=Boreal;Corvus;Drako;Eisvogel;Fjord;Gamma;Höhenweg=Hoehenweg;Isar;\
    Juniper;Kranich;Lumen;Meridian;Nimbus;Orion;Petra;Ravelin;Solaris;Tandem;Ursa;Vento;Zephyr";

macro_rules! culture {
    ($code:literal, $country:literal, $weight:literal, $currency:literal, $zone:literal, $family_first:literal, $firsts:expr,
     $lasts:expr, $stems:expr, $branches:expr, $forms:expr, $cities:expr, $streets:expr $(,)?) => {
        Culture {
            code: $code,
            country: $country,
            weight: $weight,
            currency: $currency,
            zone: $zone,
            family_first: $family_first,
            firsts: $firsts,
            lasts: $lasts,
            stems: $stems,
            branches: $branches,
            forms: $forms,
            cities: $cities,
            streets: $streets,
        }
    };
}

/// The language areas. The weights add up to 100.
pub(in crate::sample) const CULTURES: [Culture; 15] = [
    culture!(
        "DE",
        "Germany",
        30,
        "EUR",
        "Europe/Berlin",
        false,
        "Anna;Jörg=Joerg;Sabine;Björn=Bjoern;Käthe=Kaethe;Lukas;Frieda;Matthias;Ute;Heinrich;Jana;Tobias;Grete;Holger;\
         Marlene;Konstantin;Svenja;Götz=Goetz;Wiebke;Jürgen=Juergen;Annegret;Til;Renate;Oskar",
        "Schmidt;Müller=Mueller;Weiß=Weiss;Großmann=Grossmann;von der Heide;Köhler=Koehler;Schäfer=Schaefer;Krüger=Krueger;\
         Hofstätter=Hofstaetter;Brandt;Lange;Voß=Voss;Oestreich;Petersen;Rühl=Ruehl;Zimmer;Albrecht;Thieme;Bähr=Baehr;Dörfler=Doerfler;\
         Eggert;Nowotny;Ziegler;Kaltwasser",
        LATIN_STEMS,
        "Logistik;Maschinenbau;Medizintechnik;Gebäudetechnik=Gebaeudetechnik;Druckguss;Spedition;Energie;Werkzeuge;Optik;Verpackung;\
         Labortechnik;Möbelwerke=Moebelwerke",
        "{s} {b} GmbH;{s} {b} AG;{b} {s} GmbH & Co. KG;{s} {b} SE;{s} {b} e. K.",
        "Berlin|Berlin|10115|Mitte;Hamburg|Hamburg|20095|Altstadt;München|Bayern|80331|Altstadt-Lehel;Köln|Nordrhein-Westfalen|50667|Innenstadt;\
         Frankfurt am Main|Hessen|60311|Gallus;Leipzig|Sachsen|04109|Zentrum;Lübeck|Schleswig-Holstein|23552|Innenstadt",
        "Lindenstraße;Am Alten Markt;Hafenweg;Bahnhofstraße;Mühlengasse;Industriestraße;Schlossallee;Gewerbering",
    ),
    culture!(
        "US",
        "United States",
        14,
        "USD",
        "America/New_York",
        false,
        "Emily;Marcus;Denise;Tyler;Rosa;Carter;Shanice;Walter;Mei-Ling;Brandon;Paula;Dwayne;Kirsten;Hector;Joy;Elliott",
        "Whitfield;O'Donnell;Ramirez;Thornton;Nguyen;Brooks;Castellano;Hargrove;Washington;Lindqvist;McAllister;Peters;Ocampo;\
         Underwood;Yates;Delgado",
        LATIN_STEMS,
        "Freight;Robotics;Health;Foods;Analytics;Packaging;Solar;Textiles;Staffing;Tooling;Devices;Lumber",
        "{s} {b} Inc.;{s} {b} LLC;{s} {b}, Inc.;{s} {b} Corp.",
        "New York|NY|10011|Chelsea;Chicago|IL|60607|West Loop;Austin|TX|78701|Downtown;Seattle|WA|98104|Pioneer Square;\
         Denver|CO|80202|LoDo;Boston|MA|02110|Financial District",
        "Maple Avenue;Old Mill Road;Harbor Boulevard;Commerce Parkway;5th Street;Juniper Lane",
    ),
    culture!(
        "GB",
        "United Kingdom",
        10,
        "GBP",
        "Europe/London",
        false,
        "Siân=Sian;Oliver;Priya;Gareth;Imogen;Alasdair;Niamh;Rupert;Zadie;Callum;Bronwen;Hamish;Tamsin;Idris",
        "Pemberton;Ó Briain=O Briain;Patel;Llewellyn;Ashworth;MacLeod;Okonkwo;Fairfax;Hughes;Blackwood;Singh;Tregenza;Wainwright;\
         Cholmondeley",
        LATIN_STEMS,
        "Haulage;Instruments;Joinery;Brewing;Marine;Ceramics;Media;Aerospace;Textiles;Pharma",
        "{s} {b} Ltd;{s} {b} plc;{s} & {b} LLP;The {s} {b} Company",
        "London|England|EC1A 1AA|Clerkenwell;Manchester|England|M1 1AE|Ancoats;Leeds|England|LS1 4AP|Holbeck;\
         Edinburgh|Scotland|EH1 1YZ|Old Town;Cardiff|Wales|CF10 1EP|Butetown",
        "High Street;Station Road;Mill Lane;Church Walk;Canal Wharf;Queensway",
    ),
    culture!(
        "FR",
        "France",
        8,
        "EUR",
        "Europe/Paris",
        false,
        "Élodie=Elodie;François=Francois;Maëlle=Maelle;Gérard=Gerard;Chloé=Chloe;Baptiste;Anaïs=Anais;Thierry;Océane=Oceane;Rémi=Remi;\
         Solène=Solene;Loïc=Loic",
        "Lefèvre=Lefevre;de la Tour;Béranger=Beranger;Gauthier;d'Aubigné=d'Aubigne;Noël=Noel;Chevalier;Rousseau;Picard;Hébert=Hebert;\
         Fontaine;Garçon=Garcon",
        LATIN_STEMS,
        "Transports;Emballages;Énergies=Energies;Textiles;Vins;Verrerie;Bâtiment=Batiment;Optique;Cosmétiques=Cosmetiques",
        "{s} {b} SARL;{s} {b} SAS;{b} {s} SA;Société {s} {b}",
        "Paris|Île-de-France|75003|Le Marais;Lyon|Auvergne-Rhône-Alpes|69002|Presqu'île;Nantes|Pays de la Loire|44000|Centre;\
         Marseille|Provence-Alpes-Côte d'Azur|13002|La Joliette",
        "rue des Tilleuls;avenue de la Gare;quai du Port;boulevard Victor;impasse du Moulin",
    ),
    culture!(
        "PL",
        "Poland",
        6,
        "EUR",
        "Europe/Warsaw",
        false,
        "Łukasz=Lukasz;Agnieszka;Wojciech;Małgorzata=Malgorzata;Zbigniew;Żaneta=Zaneta;Paweł=Pawel;Grażyna=Grazyna;Michał=Michal;Ewa",
        "Wójcik=Wojcik;Dąb=Dab;Mazur;Zając=Zajac;Gołąb=Golab;Nowak;Sęk=Sek;Wróbel=Wrobel;Krawczyk;Źrebiec=Zrebiec",
        LATIN_STEMS,
        "Meble;Transport;Budownictwo;Odzież=Odziez;Szkło=Szklo;Stal;Drukarnia",
        "{s} {b} Sp. z o.o.;{s} {b} S.A.;{b} {s} s.c.",
        "Warszawa|Mazowieckie|00-001|Śródmieście;Kraków|Małopolskie|30-001|Stare Miasto;Łódź|Łódzkie|90-001|Bałuty;\
         Wrocław|Dolnośląskie|50-001|Krzyki",
        "ulica Długa;ulica Młyńska;aleja Lipowa;ulica Kościelna",
    ),
    culture!(
        "CZ",
        "Czechia",
        4,
        "EUR",
        "Europe/Prague",
        false,
        "Jiří=Jiri;Tereza;Ondřej=Ondrej;Božena=Bozena;Zdeněk=Zdenek;Šárka=Sarka;Vojtěch=Vojtech;Růžena=Ruzena;Matěj=Matej;Eliška=Eliska",
        "Dvořák=Dvorak;Krejčí=Krejci;Janů=Janu;Říha=Riha;Kučera=Kucera;Jirků=Jirku;Čermák=Cermak;Tichý=Tichy;Petrů=Petru;Šťastný=Stastny",
        LATIN_STEMS,
        "Strojírny=Strojirny;Sklárny=Sklarny;Doprava;Nábytek=Nabytek;Pivovar;Papírny=Papirny",
        "{s} {b} s.r.o.;{s} {b} a.s.",
        "Praha|Hlavní město Praha|110 00|Staré Město;Brno|Jihomoravský kraj|602 00|Veveří;Plzeň|Plzeňský kraj|301 00|Slovany",
        "Lipová;Nádražní;Na Příkopě;Mlýnská",
    ),
    culture!(
        "SE",
        "Sweden",
        4,
        "EUR",
        "Europe/Stockholm",
        false,
        "Åsa=Asa;Björn=Bjorn;Märta=Marta;Håkan=Hakan;Linnéa=Linnea;Göran=Goran;Maj-Britt;Elof;Tuva;Sören=Soren",
        "Sjöberg=Sjoberg;Ångström=Angstrom;Lindgren;Öberg=Oberg;Håkansson=Hakansson;Wallin;Nyström=Nystrom;Ek;Bergqvist;Ström=Strom",
        LATIN_STEMS,
        "Skog;Stål=Stal;Rederi;Möbler=Mobler;Teknik;Energi;Bryggeri",
        "{s} {b} AB;{b} {s} HB;{s} {b} AB (publ)",
        "Stockholm|Stockholms län|111 22|Norrmalm;Göteborg|Västra Götaland|411 03|Inom Vallgraven;Malmö|Skåne|211 20|Centrum",
        "Storgatan;Sjövägen;Kungsgatan;Björkvägen",
    ),
    culture!(
        "ES",
        "Spain",
        5,
        "EUR",
        "Europe/Madrid",
        false,
        "Íñigo=Inigo;María José=Maria Jose;Begoña=Begona;Andrés=Andres;Núria=Nuria;Ramón=Ramon;Lucía=Lucia;Óscar=Oscar;Inés=Ines;Julián=Julian",
        "Núñez=Nunez;García Peña=Garcia Pena;Ibáñez=Ibanez;Cañizares=Canizares;López=Lopez;Argüelles=Arguelles;Montañés=Montanes;Sáez=Saez;Vidal;\
         Yáñez=Yanez",
        LATIN_STEMS,
        "Transportes;Conservas;Cerámica=Ceramica;Energía=Energia;Muebles;Aceites;Textil",
        "{s} {b} S.L.;{s} {b} S.A.;{b} {s} S.L.U.",
        "Madrid|Comunidad de Madrid|28001|Salamanca;Sevilla|Andalucía|41001|Casco Antiguo;A Coruña|Galicia|15001|Pescadería",
        "calle Mayor;avenida del Puerto;paseo de la Estación;calle Peñón",
    ),
    culture!(
        "TR",
        "Türkiye",
        3,
        "USD",
        "Europe/Istanbul",
        false,
        "Ayşe=Ayse;Çağlar=Caglar;Gülşen=Gulsen;İbrahim=Ibrahim;Özlem=Ozlem;Uğur=Ugur;Şebnem=Sebnem;Yıldız=Yildiz",
        "Yılmaz=Yilmaz;Öztürk=Ozturk;Şahin=Sahin;Çelik=Celik;Güneş=Gunes;Işık=Isik;Kılıç=Kilic;Doğan=Dogan",
        LATIN_STEMS,
        "Tekstil;Lojistik;Gıda=Gida;Makine;Seramik;Otomotiv",
        "{s} {b} A.Ş.;{s} {b} Ltd. Şti.",
        "İstanbul|İstanbul|34000|Beşiktaş;İzmir|İzmir|35000|Konak;Ankara|Ankara|06000|Çankaya",
        "Çınar Sokak;Gül Caddesi;Liman Yolu",
    ),
    culture!(
        "UA",
        "Ukraine",
        4,
        "EUR",
        "Europe/Kyiv",
        false,
        "Олена=Olena;Юрій=Yurii;Оксана=Oksana;Тарас=Taras;Софія=Sofiia;Ігор=Ihor;Надія=Nadiia;Євген=Yevhen;Ганна=Hanna;Богдан=Bohdan",
        "Шевченко=Shevchenko;Коваль=Koval;Бондаренко=Bondarenko;Мельник=Melnyk;Ґава=Gava;Щербак=Shcherbak;Кравець=Kravets;Їжак=Yizhak;\
         Лисенко=Lysenko;Яременко=Yaremenko",
        "Світанок=Svitanok;Дніпро=Dnipro;Обрій=Obrii;Калина=Kalyna;Степ=Step;Карпати=Karpaty;Зоря=Zoria;Ластівка=Lastivka;Мрія=Mriia",
        "Логістика=Lohistyka;Агро=Ahro;Скло=Sklo;Енерго=Enerho;Меблі=Mebli;Папір=Papir",
        "ТОВ «{s} {b}»;ПрАТ «{s}-{b}»;{s} {b}",
        "Київ|Київська область|01001|Поділ;Львів|Львівська область|79000|Галицький;Одеса|Одеська область|65000|Приморський",
        "вулиця Садова;проспект Миру;вулиця Млинна",
    ),
    culture!(
        "GR",
        "Greece",
        3,
        "EUR",
        "Europe/Athens",
        false,
        "Ελένη=Eleni;Γιώργος=Giorgos;Αθηνά=Athina;Νίκος=Nikos;Σοφία=Sofia;Δημήτρης=Dimitris;Ειρήνη=Eirini;Θανάσης=Thanasis",
        "Παπαδάκη=Papadaki;Νικολάου=Nikolaou;Γεωργίου=Georgiou;Χατζή=Chatzi;Ξένου=Xenou;Ψαρρά=Psarra;Οικονόμου=Oikonomou;Ιωάννου=Ioannou",
        "Αιγαίο=Aigaio;Ήλιος=Ilios;Δελφοί=Delfoi;Όλυμπος=Olympos;Κύμα=Kyma;Ελαία=Elaia;Φάρος=Faros;Θάλασσα=Thalassa",
        "Ναυτιλία=Naftilia;Τρόφιμα=Trofima;Ενέργεια=Energeia;Μεταφορές=Metafores;Κεραμικά=Keramika",
        "{s} {b} Α.Ε.;{b} {s} Ε.Π.Ε.;{s} & Υιοί {b}",
        "Αθήνα|Αττική|105 51|Πλάκα;Θεσσαλονίκη|Κεντρική Μακεδονία|546 24|Λαδάδικα;Ηράκλειο|Κρήτη|712 01|Κέντρο",
        "Οδός Ερμού;Λεωφόρος Νίκης;Οδός Μύλων",
    ),
    culture!(
        "JP",
        "Japan",
        3,
        "JPY",
        "Asia/Tokyo",
        true,
        "花子=Hanako;健太=Kenta;さくら=Sakura;翔=Sho;美咲=Misaki;大輔=Daisuke;結衣=Yui;直樹=Naoki",
        "田中=Tanaka;渡辺=Watanabe;髙橋=Takahashi;小林=Kobayashi;斎藤=Saito;森=Mori;山口=Yamaguchi;石井=Ishii",
        "山手=Yamate;青葉=Aoba;富士見=Fujimi;桜木=Sakuragi;北斗=Hokuto;若松=Wakamatsu;みなと=Minato;大空=Ozora",
        "製作所=Seisakusho;商事=Shoji;物流=Butsuryu;電機=Denki;食品=Shokuhin",
        "株式会社{s}{b};{s}{b}株式会社;有限会社{s}{b}",
        "東京|東京都|105-0011|港区;大阪|大阪府|530-0001|北区;札幌|北海道|060-0001|中央区",
        "桜通り;本町;港南二丁目",
    ),
    culture!(
        "CN",
        "China",
        2,
        "USD",
        "Asia/Shanghai",
        true,
        "小红=Xiaohong;伟=Wei;丽娜=Lina;建国=Jianguo;雨桐=Yutong;志强=Zhiqiang",
        "王=Wang;李=Li;欧阳=Ouyang;陈=Chen;赵=Zhao;黄=Huang",
        "华光=Huaguang;东方=Dongfang;长城=Changcheng;金桥=Jinqiao;海星=Haixing;云山=Yunshan",
        "电子=Dianzi;物流=Wuliu;机械=Jixie;纺织=Fangzhi",
        "{s}{b}有限公司;{s}{b}集团",
        "上海|上海市|200001|黄浦区;深圳|广东省|518000|南山区",
        "南京路;人民大道;科技园路",
    ),
    culture!(
        "AE",
        "United Arab Emirates",
        2,
        "USD",
        "Asia/Dubai",
        false,
        "ليلى=Layla;أحمد=Ahmad;فاطمة=Fatima;يوسف=Yusuf;مريم=Maryam;خالد=Khalid",
        "الهاشمي=Alhashimi;النجار=Alnajjar;حداد=Haddad;منصور=Mansour;الخطيب=Alkhatib;صالح=Saleh",
        "النور=Alnoor;الواحة=Alwaha;الصقر=Alsaqr;الخليج=Alkhaleej;النخيل=Alnakheel;الفجر=Alfajr",
        "للتجارة=Trading;للنقل=Transport;للطاقة=Power;للأغذية=Foods",
        "شركة {s} {b};{s} {b} ش.م.م;مجموعة {s} {b}",
        "دبي|دبي|00000|ديرة;أبوظبي|أبوظبي|00000|الخالدية",
        "شارع الشيخ زايد;شارع الميناء",
    ),
    culture!(
        "IL",
        "Israel",
        2,
        "USD",
        "Asia/Jerusalem",
        false,
        "נועה=Noa;יוסי=Yossi;תמר=Tamar;אבי=Avi;מיכל=Michal;דוד=David",
        "כהן=Cohen;לוי=Levi;מזרחי=Mizrahi;פרידמן=Friedman;ברק=Barak;אלון=Alon",
        "גלים=Galim;כרמל=Carmel;אורות=Orot;נגב=Negev;תבור=Tavor;ארזים=Arazim",
        "תוכנה=Tochna;שילוח=Shiluach;אנרגיה=Energia;מזון=Mazon",
        "{s} {b} בע\"מ;קבוצת {s} {b}",
        "תל אביב|תל אביב|6100000|פלורנטין;חיפה|חיפה|3100000|הדר",
        "רחוב הרצל;שדרות הים",
    ),
];
