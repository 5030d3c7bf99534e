// The closing sheet of a hearing in the spool: what stands in it, what the page shows, and what a failing disk leaves.
#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "archive/format/members.h"
#include "ingest/closing_sheet.h"
#include "ingest/qr_code.h"
#include "ingest/sheet_page.h"
#include "ingest/station.h"
#include "tests/unit/ingest/spool_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::Fault;
using greffe::testing::kArchive;
using greffe::testing::kStart;

namespace {

// A hearing of 60 s: a camera that stops for a fault, a microphone, a recess with a note.
struct Recorded {
  testing::ForgetfulFileSystem files;
  const PrivateKey key = PrivateKey::generate();
  const HearingId id = make_hearing_id(kStart);
  const SpoolPaths paths{"/station/spool/" + id.text()};
  IngestSettings settings;
  Digest details;
  Digest note;

  explicit Recorded(const std::string& party = "Camille Lefèvre", const std::string& note_text = "retard du témoin") {
    settings.directory = "/station";
    settings.place.zone = *Zone::named("Europe/Paris");
    settings.place.court_names = {{"fr", "Tribunal judiciaire de Montclair"}};
    settings.place.room_names = {{"fr", "Salle d’audience 2"}, {"zh", "第二法庭"}};
    REQUIRE(HearingSpool::create(files, paths));
    REQUIRE(files.replace(station_key_path("/station"), as_bytes(key.to_pem()), 0600));
    REQUIRE(files.sync_directory("/station"));
    const auto spool = HearingSpool::open(files, paths, id, kArchive, key);
    REQUIRE(spool);
    record(**spool, party, note_text);
    REQUIRE((*spool)->commit());
    files.crash();
  }

  void record(HearingSpool& spool, const std::string& party, const std::string& note_text) {
    Details d;
    d.cases = {"RG 26/01234"};
    d.parties = {{party, "demandeur", {}}};
    d.language = "fr";
    details = *spool.put_document(as_bytes(write_details(d)));
    note = *spool.put_document(as_bytes(write_note("gap", note_text)));
    OpenEntry open = testing::open_entry(id, key);
    open.details = details;
    open.streams = {{"cam-bench", "video", "room"}, {"mic-judge", "audio", "room"}};
    spool.append(open);
    spool.append(segment(spool, "cam-bench", 0, 20'000));
    spool.append(segment(spool, "mic-judge", 0, 30'000));
    spool.append(gap({"cam-bench"}, 20'000, 30'000, "fault", std::nullopt));
    spool.append(gap({"*"}, 30'000, 40'000, "recess", note));
    const Digest explained = *spool.put_document(as_bytes(write_note("explanation", "câble débranché")));
    spool.append(ExplanationEntry{3, explained, "u-18", "operator"});
    spool.append(segment(spool, "cam-bench", 40'000, 60'000));
    spool.append(segment(spool, "mic-judge", 40'000, 60'000));
  }
  void finish() {
    const auto spool = HearingSpool::open(files, paths, id, kArchive, key);
    REQUIRE(spool);
    (*spool)->append((*spool)->state().close_entry());
    REQUIRE((*spool)->commit());
  }
  SegmentEntry segment(HearingSpool& spool, const std::string& stream, std::int64_t from_ms, std::int64_t to_ms) {
    SegmentEntry e;
    e.stream = stream;
    e.seq = from_ms == 0 ? 0 : 1;
    e.run = e.seq;
    const std::string bytes = stream + std::to_string(from_ms);
    e.sha256 = *spool.put_document(as_bytes(bytes));
    e.bytes = bytes.size();
    e.init_bytes = 1;
    e.start_90k = 90'000;
    e.duration_90k = (to_ms - from_ms) * 90;
    e.codecs = "opus";
    e.utc = UtcTime{kStart.ms + from_ms};
    e.boot = "import";
    e.mono_ms = from_ms;
    e.clock = {"import", 1000};
    return e;
  }
  static GapEntry gap(std::vector<std::string> streams, std::int64_t from_ms, std::int64_t to_ms, const std::string& reason,
                      std::optional<Digest> note) {
    GapEntry e;
    e.streams = std::move(streams);
    e.from = UtcTime{kStart.ms + from_ms};
    e.to = UtcTime{kStart.ms + to_ms};
    e.boot = "import";
    e.mono_ms = {from_ms, to_ms};
    e.reason = reason;
    e.person = note ? "u-17" : "";
    e.note = note;
    return e;
  }
  FiledSheet file(std::optional<Language> language = std::nullopt) {
    const auto filed = file_closing_sheet(files, settings, id, language);
    INFO((filed ? std::string() : filed.error().message));
    REQUIRE(filed);
    return *filed;
  }
  std::string text(const std::string& path) {
    const auto bytes = files.read_file(path, kMaxClosingSheetBytes);
    REQUIRE(bytes);
    return std::string(as_text(*bytes));
  }
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++out;
  return out;
}

}  // namespace

TEST_CASE("the sheet says what the log says, adds up, and is signed") {
  Recorded station;
  CHECK(file_closing_sheet(station.files, station.settings, station.id).error().code == Errc::conflict);
  station.finish();
  const FiledSheet filed = station.file();
  CHECK(filed.file == station.paths.directory + "/sheet.json");
  CHECK(filed.page == station.paths.directory + "/sheet-fr.html");
  const auto read = parse_closing_sheet(station.text(filed.file));
  REQUIRE(read);
  const ClosingSheet& sheet = *read;
  CHECK(sheet.station_key == station.key.public_key());
  CHECK((sheet.start == kStart && sheet.end == UtcTime{kStart.ms + 60'000} && sheet.zone == "Europe/Paris"));
  REQUIRE(sheet.streams.size() == 2);
  const TimeSums& camera = sheet.streams[0].time;
  CHECK((camera.declared_ms == 60'000 && camera.recorded_ms == 40'000 && camera.excused_ms == 10'000 && camera.unexcused_ms == 10'000));
  CHECK(camera.unexplained_ms == 0);
  const TimeSums& microphone = sheet.streams[1].time;
  CHECK((microphone.declared_ms == 60'000 && microphone.recorded_ms == 50'000 && microphone.excused_ms == 10'000));
  CHECK((sheet.streams[0].segments == 2 && sheet.streams[0].duration_90k == 3'600'000));
  REQUIRE(sheet.interruptions.size() == 2);
  CHECK((sheet.interruptions[0].reason == "fault" && sheet.interruptions[0].note.empty()));
  REQUIRE(sheet.interruptions[0].explanations.size() == 1);
  CHECK((sheet.interruptions[0].explanations[0].person == "u-18" && sheet.interruptions[0].explanations[0].reason == "operator"));
  CHECK(sheet.interruptions[1].explanations.empty());
  CHECK((sheet.interruptions[1].reason == "recess" && sheet.interruptions[1].person == "u-17" && sheet.interruptions[1].length_ms == 10'000));
  CHECK(sha256(as_bytes(sheet.interruptions[1].note)) == station.note);
  CHECK(sha256(as_bytes(sheet.details)) == station.details);
  CHECK(sheet.checkpoint == station.text(station.paths.checkpoint()));
}

TEST_CASE("the sheet is made once, and survives the documents it was made from") {
  Recorded station;
  station.finish();
  const std::string first = station.text(station.file().file);
  station.settings.place.zone.reset();
  const auto names = station.files.list(station.paths.objects());
  REQUIRE(names);
  for (const std::string& name : *names) {
    REQUIRE(station.files.remove(join(station.paths.objects(), name)));
  }
  CHECK(station.text(station.file(Language::zh).file) == first);
  CHECK(station.text(station.paths.directory + "/sheet-zh.html").find("第二法庭") != std::string::npos);
  // A damaged one is made again, if it can be.
  REQUIRE(station.files.damage(station.paths.directory + "/sheet.json", [](Bytes& bytes) { bytes[40] ^= 1; }));
  CHECK(file_closing_sheet(station.files, station.settings, station.id).error().code == Errc::not_found);
}

TEST_CASE("another key, a wrong document, no hearing") {
  Recorded station;
  station.finish();
  CHECK(file_closing_sheet(station.files, station.settings, make_hearing_id(kStart)).error().code == Errc::not_found);
  REQUIRE(station.files.replace(station_key_path("/station"), as_bytes(PrivateKey::generate().to_pem()), 0600));
  CHECK(file_closing_sheet(station.files, station.settings, station.id).error().code == Errc::denied);
  REQUIRE(station.files.replace(station_key_path("/station"), as_bytes(station.key.to_pem()), 0600));
  REQUIRE(station.files.damage(station.paths.object(station.note), [](Bytes& bytes) { bytes[20] ^= 1; }));
  CHECK(file_closing_sheet(station.files, station.settings, station.id).error().code == Errc::corrupt);
}

TEST_CASE("each step of filing a sheet fails once: the log is not touched, and the next call makes both files") {
  for (const Fault fault : {Fault::fails_before, Fault::fails_after, Fault::power_off}) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      Recorded station;
      station.finish();
      const std::string log = station.text(station.paths.entries());
      station.files.faults().arm(fault, step);
      const auto filed = file_closing_sheet(station.files, station.settings, station.id);
      const bool happened = station.files.faults().happened();
      station.files.faults().disarm();
      CHECK(static_cast<bool>(filed) == !happened);
      station.files.crash(step);
      const auto left = station.files.read_file(station.paths.directory + "/sheet.json", kMaxClosingSheetBytes);
      if (left) CHECK(parse_closing_sheet(as_text(*left)));  // whole, or not there
      CHECK(station.text(station.paths.entries()) == log);
      const FiledSheet again = station.file();
      CHECK(parse_closing_sheet(station.text(again.file)));
      CHECK(station.text(again.page).ends_with("</html>\n"));
      if (!happened) break;
    }
  }
}

TEST_CASE("the page speaks three languages and shows no code where there is a name") {
  Recorded station;
  station.finish();
  const ClosingSheet sheet = station.file().sheet;
  const std::string fr = *sheet_page(sheet, Language::fr);
  for (const char* words : {"<html lang=\"fr\">", "Tribunal judiciaire de Montclair, Salle d’audience 2", "22 novembre 2026 10:00:00", "Europe/Paris, UTC+01:00",
                            "suspension (motif légal)", "panne du matériel", "retard du témoin", "câble débranché (arrêt manuel, u-18)", "Caméra\u00A0: tribunal", "0:00:40,000",
                            "Camille Lefèvre (demandeur)", "toutes les pistes", "greffe-verify --sheet"}) {
    INFO(words);
    CHECK(fr.find(words) != std::string::npos);
  }
  const std::string zh = *sheet_page(sheet, Language::zh);
  for (const char* words : {"<html lang=\"zh\">", "第二法庭", "2026年11月22日", "休庭（依法中断）", "摄像机：审判席", "完整性校验值", "话筒：法官"}) {
    INFO(words);
    CHECK(zh.find(words) != std::string::npos);
  }
  const std::string en = *sheet_page(sheet, Language::en);
  for (const char* words : {"22 November 2026", "recess (lawful reason)", "Camera: bench", "0:00:40.000", "Microphone: judge"}) {
    INFO(words);
    CHECK(en.find(words) != std::string::npos);
  }
  const std::string root = parse_signed_checkpoint(sheet.checkpoint)->checkpoint.root.hex();
  for (const std::string& page : {fr, zh, en}) {
    CHECK(page.find(root.substr(0, 8) + " " + root.substr(8, 8)) != std::string::npos);
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("src=") == std::string::npos);
    CHECK(page.find("url(") == std::string::npos);
    CHECK(count(page, "<svg") == 1);
    CHECK(page.find("room-3") == std::string::npos);
    CHECK(page.find("cam-bench") == std::string::npos);
  }
}

TEST_CASE("the sheet is of the corrected case, and says when and by whom it was corrected, not what stood there") {
  Recorded station;
  Details right;
  right.cases = {"RG 26/09876"};
  right.is_public = false;
  right.language = "fr";
  {
    const auto spool = HearingSpool::open(station.files, station.paths, station.id, kArchive, station.key);
    REQUIRE(spool);
    const Digest digest = *(*spool)->put_document(as_bytes(write_details(right)));
    (*spool)->append(CorrectionEntry{digest, UtcTime{kStart.ms + 5'000}, "g-07"});
    REQUIRE((*spool)->commit());
  }
  station.finish();
  const auto read = parse_closing_sheet(station.text(station.file().file));
  REQUIRE(read);
  CHECK(parse_details(read->details)->cases == right.cases);
  REQUIRE(read->corrections.size() == 1);
  CHECK((read->corrections[0].person == "g-07" && read->corrections[0].utc == UtcTime{kStart.ms + 5'000}));
  const std::pair<Language, const char*> said[] = {{Language::zh, "<dt>案件更正</dt><dd>10:00:05（g-07）<br>"},
                                                   {Language::fr, "<dt>Affaire rectifiée</dt><dd>10:00:05 (g-07)<br>"},
                                                   {Language::en, "<dt>Case corrected</dt><dd>10:00:05 (g-07)<br>"}};
  for (const auto& [language, words] : said) {
    const std::string page = *sheet_page(*read, language);
    INFO(words);
    CHECK(page.find(words) != std::string::npos);
    CHECK(page.find("RG 26/09876") != std::string::npos);
    for (const char* wrong : {"RG 26/01234", "Camille Lefèvre"}) CHECK(page.find(wrong) == std::string::npos);
  }
  ClosingSheet hostile = *read;
  hostile.corrections[0].person = "<b>";
  CHECK(sheet_page(hostile, Language::en)->find("<b>") == std::string::npos);
  Recorded plain;
  plain.finish();
  CHECK(plain.text(plain.file().file).find("corrections") == std::string::npos);
  CHECK(plain.text(plain.file().page).find("rectifiée") == std::string::npos);
}

TEST_CASE("nothing that somebody wrote becomes part of the page") {
  const std::string hostile = "</dd><script>alert(1)</script>\"'&\x01\xE2\x80\xAE";
  Recorded station("Mallory", hostile);
  station.finish();
  ClosingSheet sheet = station.file().sheet;
  sheet.court_names = {{"en", hostile}};
  sheet.room_names = {{"en", hostile}};
  Json details = *parse_json(sheet.details);
  Json party;
  party.set("name", "</td><img src=x onerror=alert(1)>").set("role", "<b>").set("spellings", Json::Array{});
  details.set("title", "</style>&amp;").set("parties", Json::Array{party}).set("cases", list_of({"<i>\"1'"})).set("clerk", "<u>");
  sheet.details = write_json(details);
  const std::string page = *sheet_page(sheet, Language::en);
  for (const char* wrong : {"<script", "<img", "<b>", "<i>", "<u>", "\xE2\x80\xAE", "\x01"}) {
    INFO(wrong);
    CHECK(page.find(wrong) == std::string::npos);
  }
  CHECK(count(page, "</style>") == 1);
  CHECK(page.find("&lt;/style&gt;&amp;amp;") != std::string::npos);
  CHECK(page.find("&lt;/dd&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\xEF\xBF\xBD\xEF\xBF\xBD") != std::string::npos);
}

TEST_CASE("text is escaped character by character") {
  CHECK(escaped("a<b>&\"'\n") == "a&lt;b&gt;&amp;&quot;&#39;\n");
  CHECK(escaped("王 é ’ \xE2\x80\x94") == "王 é ’ \xE2\x80\x94");
  CHECK(escaped("\t\x7F\xC2\x85|\xE2\x81\xA6|\xE2\x80\xAA") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD");
  CHECK(escaped("\xE2\x80") == "\xE2\x80");  // a torn character at the end is nothing to step over
}

TEST_CASE("reasons and streams are called as on the archive's pages") {
  for (const Language language : {Language::zh, Language::fr, Language::en}) {
    const std::string file = fmt::format("{}/../../web/ui/src/lang/{}.json", GREFFE_VECTORS, tag_of(language));
    std::ifstream stream(file, std::ios::binary);
    const auto words = parse_json(std::string{std::istreambuf_iterator<char>(stream), {}});
    INFO(file);
    REQUIRE(words);
    for (const std::string_view reason : kGapReasons) {
      CHECK(std::string(reason_word(reason, language)) == *words->string("reason." + std::string(reason)));
    }
    std::size_t places = 0;
    for (const auto& [key, text] : *words->as_object()) {
      if (!key.starts_with("stream.word.")) continue;
      ++places;
      std::string wanted = *words->string("stream.camera");
      wanted.replace(wanted.find("{which}"), 7, *text.as_string());
      if (key == "stream.word.screen") continue;  // says what the stream is, not where
      CHECK(stream_name({"cam-" + key.substr(12), "video", "room"}, 1, language) == wanted);
    }
    CHECK(places > 20);
  }
  CHECK(stream_name({"cam-xyz", "video", "room"}, 3, Language::en) == "Camera 3");
  CHECK(stream_name({"mic-2", "audio", "room"}, 1, Language::fr) == "Micro 2");
  CHECK(stream_name({"mic-witness-2", "audio", "room"}, 1, Language::en) == "Microphone: witness 2");
  CHECK(stream_name({"evidence", "video", "screen"}, 1, Language::zh) == "屏幕：证据");
}

TEST_CASE("a language tag finds its page") {
  CHECK(nearest_language("fr-CA") == Language::fr);
  CHECK(nearest_language("zh-Hans-CN") == Language::zh);
  CHECK(nearest_language("de") == Language::en);
  CHECK(nearest_language("") == Language::en);
  CHECK_FALSE(language_of("fr-CA"));
}

TEST_CASE("a QR code holds what a checkpoint can be, and says so when it cannot") {
  CHECK(qr_code_svg(std::string(1600, 'x'), "label"));
  CHECK(qr_code_svg(std::string(1700, 'x'), "label").error().code == Errc::invalid);
  CHECK(qr_code_svg("", "label").error().code == Errc::invalid);
}
