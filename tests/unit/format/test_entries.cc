// Every kind of entry against the golden vectors, and what is refused in each.
#include <functional>

#include "archive/format/entries.h"
#include "archive/format/merkle.h"
#include "tests/unit/format/vectors.h"

using greffe::Json;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

namespace {

std::string golden(const std::string& file, std::string_view name) {
  for (const Json& one : need(vectors(file).array("entries"))) {
    if (need(one.string("name")) == name) return need(one.string("entry"));
  }
  FAIL("no vector " << name);
  return {};
}

template <class Kind>
Kind hearing_entry(std::string_view name) {
  auto entry = need(greffe::parse_hearing_entry(golden("hearing-entries.json", name)));
  REQUIRE(std::holds_alternative<Kind>(entry));
  return std::get<Kind>(std::move(entry));
}

template <class Kind>
Kind main_entry(std::string_view name) {
  auto entry = need(greffe::parse_main_entry(golden("main-entries.json", name)));
  REQUIRE(std::holds_alternative<Kind>(entry));
  return std::get<Kind>(std::move(entry));
}

greffe::Digest named(std::string_view text) { return greffe::sha256(greffe::as_bytes(text)); }
greffe::UtcTime at(std::string_view text) { return need(greffe::parse_utc(text)); }

// The vector with one member set to a value (JSON text), or taken out when the value is empty.
std::string changed(const std::string& entry, const std::string& key, const std::string& value) {
  Json json = need(greffe::parse_json(entry));
  if (value.empty()) {
    json.as_object()->erase(key);
  } else {
    json.set(key, need(greffe::parse_json(value)));
  }
  return greffe::write_json(json);
}

struct Refusal {
  const char* vector;
  const char* key;
  const char* value;
  const char* because;
};

void check_vectors(const std::string& file, const std::function<std::string(std::string_view)>& rewrite) {
  const auto all = need(vectors(file).array("entries"));
  for (const Json& one : all) {
    const std::string name = need(one.string("name"));
    const std::string entry = need(one.string("entry"));
    INFO(name);
    CHECK(greffe::leaf_hash(greffe::as_bytes(entry)) == need(one.digest("leaf")));
    const Json json = need(greffe::parse_canonical_json(entry));
    std::vector<std::string> objects;
    for (const greffe::Digest& digest : greffe::named_objects(json)) objects.push_back(digest.hex());
    CHECK(objects == need(one.strings("objects")));
    const std::string again = rewrite(entry);
    if (!again.empty()) CHECK(again == (name == "member of the future" ? changed(entry, "future", "") : entry));
  }
}

}  // namespace

TEST_CASE("entries of hearing logs: read and written as another implementation writes them") {
  check_vectors("hearing-entries.json", [](std::string_view bytes) {
    const auto entry = need(greffe::parse_hearing_entry(bytes));
    const auto* unknown = std::get_if<greffe::UnknownEntry>(&entry);
    return unknown != nullptr ? std::string() : greffe::write_hearing_entry(entry);
  });
}

TEST_CASE("entries of the main log: read and written as another implementation writes them") {
  check_vectors("main-entries.json", [](std::string_view bytes) {
    const auto entry = need(greffe::parse_main_entry(bytes));
    const auto* unknown = std::get_if<greffe::UnknownEntry>(&entry);
    return unknown != nullptr ? std::string() : greffe::write_main_entry(entry);
  });
}

TEST_CASE("each member arrives in its field: hearing log") {
  const auto open = hearing_entry<greffe::OpenEntry>("open");
  CHECK(open.archive == "archive.court.example");
  CHECK(open.hearing.text() == "019d0a3c-7c00-7abc-8def-0123456789ab");
  CHECK((open.station == "lyon-3" && open.court == "lyon" && open.room == "salle-3"));
  CHECK(open.station_key == need(greffe::PrivateKey::from_seed(named("greffe vector station").bytes)).public_key());
  REQUIRE(open.streams.size() == 3);
  CHECK((open.streams[2].name == "screen-1" && open.streams[2].medium == "video" && open.streams[2].source == "screen"));
  CHECK(open.details == named("details"));
  CHECK((open.main_size == 1234 && open.main_root == named("main")));
  CHECK(open.continues->text() == "019d0a3b-0000-7000-8000-000000000001");
  CHECK((open.start == at("2026-11-22T09:00:00.000Z") && open.mono_ms == 12345));
  CHECK(open.boot == "6f1c2b8e-1111-4222-8333-444455556666");
  CHECK_FALSE(hearing_entry<greffe::OpenEntry>("open that has seen no main log").continues);

  const auto segment = hearing_entry<greffe::SegmentEntry>("segment");
  CHECK((segment.stream == "cam-bench" && segment.seq == 17 && segment.run == 0));
  CHECK((segment.bytes == 2512345 && segment.init_bytes == 1260 && segment.sha256 == named("segment")));
  CHECK((segment.start_90k == 15390000 && segment.duration_90k == 900000 && segment.codecs == "avc1.64001f"));
  CHECK((segment.utc == at("2026-11-22T09:02:50.000Z") && segment.mono_ms == 812345));
  CHECK((segment.clock.state == "locked" && segment.clock.error_ms == 2 && segment.flags.empty()));
  CHECK(hearing_entry<greffe::SegmentEntry>("segment with flags").flags == std::vector<std::string>{"recovered", "transcoded"});

  const auto gap = hearing_entry<greffe::GapEntry>("gap");
  CHECK(gap.streams == std::vector<std::string>{"*"});
  CHECK((gap.from == at("2026-11-22T09:30:00.000Z") && gap.to == at("2026-11-22T09:45:10.000Z")));
  CHECK((gap.mono_ms[0] == 1212345 && gap.mono_ms[1] == 2122345 && gap.reason == "recess" && gap.person == "u-17"));
  CHECK(gap.note == named("note"));
  CHECK((greffe::is_excused(gap.reason) && !greffe::is_excused(hearing_entry<greffe::GapEntry>("gap over a restart").reason)));
  CHECK(gap.to_boot.empty());
  CHECK(hearing_entry<greffe::GapEntry>("gap that names both boots").to_boot == "0b2d4f68-2222-4333-8444-555566667777");

  const auto explanation = hearing_entry<greffe::ExplanationEntry>("explanation");
  CHECK((explanation.gap == 17 && explanation.note == named("explanation")));
  CHECK((explanation.person == "u-17" && explanation.reason == "power"));
  const auto brief = hearing_entry<greffe::ExplanationEntry>("explanation without a name");
  CHECK((brief.person.empty() && brief.reason.empty()));

  const auto mark = hearing_entry<greffe::MarkEntry>("mark");
  CHECK((mark.at == at("2026-11-22T09:31:00.250Z") && mark.stream == "mic-judge" && mark.note == named("mark") && mark.person == "u-17"));
  const auto correction = hearing_entry<greffe::CorrectionEntry>("details");
  CHECK((correction.details == named("details 2") && correction.utc == at("2026-11-22T09:00:00.000Z") && correction.person == "u-17"));
  CHECK(hearing_entry<greffe::CorrectionEntry>("details without a name").person.empty());
  const auto stream = hearing_entry<greffe::StreamEntry>("stream").stream;
  CHECK((stream.name == "remote-2" && stream.medium == "audio" && stream.source == "remote"));
  const auto peaks = hearing_entry<greffe::PeaksEntry>("peaks");
  CHECK((peaks.stream == "mic-judge" && peaks.count == 6000 && peaks.sha256 == named("peaks")));
  const auto lost = hearing_entry<greffe::LostEntry>("lost");
  CHECK(lost.objects == std::vector<greffe::Digest>{named("lost 1"), named("lost 2")});
  CHECK(lost.reason == "disk-failure");
  const auto close = hearing_entry<greffe::CloseEntry>("close");
  CHECK((close.end == at("2026-11-22T11:00:00.000Z") && close.mono_ms == 7200000 && close.totals.size() == 2));
  CHECK((close.totals[0].stream == "cam-bench" && close.totals[0].segments == 720 && close.totals[0].bytes == 1000000 &&
         close.totals[0].duration_90k == 648000000));
  const auto unknown = hearing_entry<greffe::UnknownEntry>("unknown kind");
  CHECK((unknown.kind == "weather" && unknown.version == 1));
  CHECK(hearing_entry<greffe::UnknownEntry>("unknown version").version == 2);
}

TEST_CASE("each member arrives in its field: main log") {
  const auto genesis = main_entry<greffe::GenesisEntry>("genesis");
  CHECK((genesis.archive == "archive.court.example" && genesis.role == "primary"));
  CHECK(genesis.holder.name == "archive.court.example/holder");
  CHECK(genesis.log_key == need(greffe::PrivateKey::from_seed(named("greffe vector log").bytes)).public_key());
  const auto station = main_entry<greffe::KeyEntry>("station stolen");
  CHECK((station.action == "revoked" && station.role == "station" && station.name == "lyon-3" && station.why == "stolen"));
  CHECK((station.court == "lyon" && station.room == "salle-3" && station.since == at("2026-11-20T00:00:00.000Z")));
  const auto cosigner = main_entry<greffe::KeyEntry>("cosigner added");
  CHECK(need(greffe::parse_verifier_key(cosigner.cosigner)).key == cosigner.key);
  const auto court = main_entry<greffe::PlaceEntry>("court");
  CHECK((court.court == "lyon" && court.room.empty() && court.zone == "Europe/Paris" && court.names == named("names")));
  CHECK(main_entry<greffe::PlaceEntry>("room").room == "salle-3");
  const auto checkpoint = main_entry<greffe::HearingCheckpointEntry>("hearing-checkpoint");
  CHECK((checkpoint.closed && need(greffe::parse_signed_checkpoint(checkpoint.note)).checkpoint.size == 17));
  const auto details = main_entry<greffe::DetailsEntry>("details");
  CHECK((details.details == named("details 2") && details.reason == named("reason") && details.account == "u-17"));
  const auto mark = main_entry<greffe::MarkAddedEntry>("mark");
  CHECK((mark.note == named("mark") && mark.at == at("2026-11-22T09:31:00.250Z") && mark.stream == "mic-judge"));
  const auto access = main_entry<greffe::AccessEntry>("access");
  CHECK((access.purpose == "play" && access.session == "hV3_k-9Zq1" && access.account == "u-17"));
  const auto scrub = main_entry<greffe::ScrubEntry>("scrub finding");
  CHECK((scrub.finding == "damaged" && scrub.action == "repaired" && scrub.volume == "disk-2" && scrub.failures == 1));
  CHECK_FALSE(main_entry<greffe::ScrubEntry>("scrub pass").results);
  const auto pass = main_entry<greffe::ScrubEntry>("scrub pass with its results");
  REQUIRE(pass.results);
  CHECK((pass.results->root == named("results") && pass.results->began == at("2026-09-11T07:30:00.250Z") && pass.results->oldest_ms == 6'220'800'000));
  const auto exported = main_entry<greffe::ExportEntry>("export");
  CHECK((exported.root == named("root") && exported.size == 42));
  CHECK(main_entry<greffe::AccountEntry>("account").snapshot == named("snapshot"));
  const auto lost = main_entry<greffe::MainLostEntry>("lost");
  CHECK(lost.officers == std::vector<std::string>{"officer-1", "officer-2"});
  CHECK(lost.hearing == access.hearing);
  CHECK(lost.signatures.empty());
  CHECK(main_entry<greffe::MainLostEntry>("lost with signatures").signatures.size() == 2);
  CHECK_FALSE(main_entry<greffe::MainLostEntry>("lost documents of the main log").hearing);
  CHECK(main_entry<greffe::UnknownEntry>("reserved kind").kind == "tombstone");
}

TEST_CASE("each member arrives in its field: what came back, and what is shared") {
  const auto graft = main_entry<greffe::GraftEntry>("graft");
  CHECK((graft.end.origin == "archive.court.example/epoch/2" && graft.end.size == 5000 && graft.end.root == named("old end")));
  REQUIRE(graft.hearings.size() == 1);
  CHECK((graft.hearings[0].size == 43 && graft.hearings[0].root == named("root")));
  CHECK(graft.hearings[0].hearing.text() == "019d0a3c-7c00-7abc-8def-0123456789ab");
  const auto share = main_entry<greffe::ShareEntry>("share granted");
  CHECK((share.action == "granted" && share.archive == "archive.court.example" && share.court == "paris.example/appeal"));
  CHECK((share.reason == named("reason") && share.account == "u-17" && share.until == at("2027-11-22T00:00:00.000Z")));
  CHECK_FALSE(main_entry<greffe::ShareEntry>("share revoked").until);
  CHECK(main_entry<greffe::HearingCheckpointEntry>("finished hearing").beside == std::vector<std::uint64_t>{0, 118, 721});
}

TEST_CASE("entries of hearing logs that are refused") {
  const Refusal refusals[] = {
      {"open", "archive", "\"Archive\"", "\"archive\" must be the name of an archive"},
      {"open", "hearing", "\"019d0a3c-7c00-4abc-8def-0123456789ab\"", "\"hearing\" must be a version 7 UUID"},
      {"open", "station", "\"Lyon 3\"", "\"station\" must be 1 to 32"},
      {"open", "station_key", "\"00\"", "\"station_key\" must be an Ed25519 public key"},
      {"open", "court", "", "\"court\" must be a text"},
      {"open", "streams", "{}", "\"streams\" must be a list"},
      {"open", "streams", R"([{"medium":"audio","name":"a","source":"room"},{"medium":"video","name":"a","source":"room"}])", "names a twice"},
      {"open", "streams", R"([{"medium":"smell","name":"a","source":"room"}])", "\"medium\" must be one of: video, audio"},
      {"open", "streams", R"([{"medium":"audio","name":"a","source":"moon"}])", "\"source\" must be one of: room, remote, screen, file"},
      {"open", "details_sha256", "\"abc\"", "\"details_sha256\" must be 64"},
      {"open", "main_size", "-1", "\"main_size\" must be a whole number that is not negative"},
      {"open", "main_root", "", "\"main_root\" must be 64"},
      {"open", "continues", "\"x\"", "\"continues\" must be a version 7 UUID"},
      {"open", "utc", "\"2026-11-22\"", "\"utc\" must be a time"},
      {"open", "boot", "\"\"", "\"boot\" must be 1 to 255"},
      {"open", "mono_ms", "-5", "\"mono_ms\" must be a whole number that is not negative"},
      {"segment", "stream", "\"*\"", "\"stream\" must be 1 to 32"},
      {"segment", "seq", "-1", "\"seq\" must be"},
      {"segment", "bytes", "16777217", "at most 16 MiB"},
      {"segment", "bytes", "0", "at most 16 MiB"},
      {"segment", "init_bytes", "2512345", "more than \"init_bytes\""},
      {"segment", "duration_90k", "0", "\"duration_90k\" must be positive"},
      {"segment", "start_90k", "-1", "\"start_90k\" must not be negative"},
      {"segment", "sha256", "\"ABCD\"", "\"sha256\" must be 64"},
      {"segment", "codecs", "\"a b\"", "\"codecs\" must be 1 to 255 ASCII"},
      {"segment", "clock", R"({"error_ms":2,"state":"guess"})", "\"state\" must be one of: locked"},
      {"segment", "clock", R"({"error_ms":-2,"state":"free"})", "\"error_ms\" must be"},
      {"segment", "clock", "7", "\"clock\" must be an object"},
      {"segment", "flags", "[\"John Smith\"]", "\"flags\" must be a list of names"},
      {"segment", "flags", R"(["recovered","recovered"])", "names nothing twice"},
      {"gap", "streams", "[]", "must name a stream"},
      {"gap", "streams", R"(["*","cam-bench"])", "\"streams\" must be a list of names"},
      {"gap", "to", "\"2026-11-22T09:29:59.999Z\"", "\"to\" is before \"from\""},
      {"gap", "mono_ms", "[1]", "two whole numbers"},
      {"gap", "mono_ms", "[-1,2]", "two whole numbers"},
      {"gap", "reason", "\"lunch\"", "not one of the reasons"},
      {"gap", "person", "\"John Smith\"", "\"person\" must be 1 to 255 ASCII characters without spaces"},
      {"gap", "note_sha256", "\"\"", "\"note_sha256\" must be 64"},
      {"gap", "to_boot", "\"\"", "\"to_boot\" must be 1 to 255"},
      {"explanation", "gap", "-1", "\"gap\" must be"},
      {"explanation", "gap", "", "\"gap\" must be"},
      {"explanation", "note_sha256", "", "\"note_sha256\" must be 64"},
      {"explanation", "person", "\"John Smith\"", "\"person\" must be 1 to 255"},
      {"explanation", "reason", "\"lunch\"", "not one of the reasons"},
      {"mark", "at", "", "\"at\" must be a time"},
      {"mark", "note_sha256", "", "\"note_sha256\" must be 64"},
      {"details", "details_sha256", "", "\"details_sha256\" must be 64"},
      {"details", "utc", "", "\"utc\" must be a time"},
      {"details", "person", "\"John Smith\"", "\"person\" must be 1 to 255"},
      {"details", "person", "\"\"", "\"person\" must be 1 to 255"},
      {"stream", "name", "\"\"", "\"name\" must be 1 to 32"},
      {"peaks", "count", "0", "\"count\" must be from 1"},
      {"lost", "objects", "[]", "at least one object"},
      {"lost", "objects", "[{}]", "\"sha256\" must be 64"},
      {"lost", "reason", "\"Free text.\"", "\"reason\" must be 1 to 32"},
      {"close", "totals", R"([{"bytes":1,"duration_90k":-1,"segments":1,"stream":"a"}])", "\"duration_90k\" must be"},
      {"close", "totals", R"([{"bytes":1,"duration_90k":1,"segments":1,"stream":"a"},{"bytes":1,"duration_90k":1,"segments":1,"stream":"a"}])", "names a twice"},
      {"close", "kind", "", "\"kind\" must be a text"},
      {"close", "kind", "\"Free text.\"", "\"kind\" must be 1 to 32"},
      {"close", "v", "", "\"v\" must be a whole number"},
      {"close", "v", "0", "\"v\" must be 1 or more"},
  };
  for (const Refusal& one : refusals) {
    INFO(one.vector << " " << one.key << " = " << one.value);
    const std::string entry = changed(golden("hearing-entries.json", one.vector), one.key, one.value);
    check_refused(greffe::parse_hearing_entry(entry), one.because);
  }
  check_refused(greffe::parse_hearing_entry(changed(golden("hearing-entries.json", "peaks"), "count", "0")), "\"peaks\" entry: ");
}

TEST_CASE("entries of the main log that are refused") {
  const Refusal refusals[] = {
      {"genesis", "role", "\"king\"", "\"role\" must be one of: primary, replica"},
      {"genesis", "log_key", "\"x\"", "\"log_key\" must be an Ed25519"},
      {"genesis", "holder", "\"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\"", "must be a cosigner's key"},
      {"genesis", "holder", "\"x\"", "a verifier key is written as"},
      {"station added", "action", "\"sold\"", "\"action\" must be one of"},
      {"station added", "role", "\"clerk\"", "\"role\" must be one of"},
      {"station added", "name", "\"a.b\"", "not a name for the role station"},
      {"station added", "room", "", "needs \"court\" and \"room\""},
      {"station stolen", "why", "", "\"why\" must be a text"},
      {"station stolen", "why", "\"bored\"", "\"why\" must be one of: retired, stolen"},
      {"cosigner added", "name", "\"witness.example/w2\"", "does not agree"},
      {"cosigner added", "cosigner", "", "\"cosigner\" must be a text"},
      {"court", "zone", "\"Europe / Paris\"", "not the name of a time zone"},
      {"court", "names_sha256", "", "\"names_sha256\" must be 64"},
      {"hearing-checkpoint", "hearing", "\"019d0a3b-0000-7000-8000-000000000001\"", "checkpoint of another hearing"},
      {"hearing-checkpoint", "note", "\"x\"", "not a signed note"},
      {"hearing-checkpoint", "closed", "1", "\"closed\" must be true or false"},
      {"details", "account", "\"John Smith\"", "\"account\" must be an id"},
      {"details", "reason_sha256", "", "\"reason_sha256\" must be 64"},
      {"mark", "stream", "\"\"", "\"stream\" must be 1 to 32"},
      {"access", "purpose", "\"curiosity\"", "\"purpose\" must be one of: play, export"},
      {"access", "session", "\"a/b\"", "\"session\" must be an id"},
      {"scrub pass", "finding", "\"fine\"", "\"finding\" must be one of"},
      {"scrub pass", "key", "\"sha256/x\"", "left out for a pass"},
      {"scrub pass with its results", "root", "", "\"root\" must be 64"},
      {"scrub pass with its results", "began", "", "\"began\" must be a time"},
      {"scrub pass with its results", "oldest_ms", "-1", "\"oldest_ms\" must be"},
      {"scrub finding", "root", "\"ab\"", "belong to a pass"},
      {"scrub finding", "key", "", "names what was missing or damaged"},
      {"scrub finding", "action", "\"prayed\"", "\"action\" must be one of"},
      {"scrub pass", "volume", "\"disk 1\"", "\"volume\" must be 1 to 255"},
      {"scrub pass", "bytes", "-1", "\"bytes\" must be"},
      {"export", "root", "", "\"root\" must be 64"},
      {"account", "snapshot_sha256", "", "\"snapshot_sha256\" must be 64"},
      {"lost", "officers", "[\"Jane Doe\"]", "\"officers\" must be a list of names"},
      {"lost", "objects", "[]", "at least one object"},
      {"lost", "utc", "\"now\"", "\"utc\" must be a time"},
      {"lost with signatures", "signatures", "[\"AAAA\"]", "\"signatures\" must be a list of Ed25519"},
      {"lost with signatures", "signatures", "[]", "\"signatures\" must be one of each"},
      {"lost with signatures", "officers", "[\"officer-1\"]", "\"signatures\" must be one of each"},
      {"finished hearing", "beside", "[1]", "\"beside\" must be an ascending list"},
      {"finished hearing", "beside", "{}", "\"beside\" must be"},
      {"returning added", "name", "\"archive.court.example/epoch/1\"", "not a name for the role returning"},
      {"graft", "origin", "\"archive.court.example/epoch/1\"", "names no epoch"},
      {"graft", "size", "0", "\"size\" must be that of a log with entries"},
      {"graft", "root", "", "\"root\" must be 64"},
      {"graft", "hearings", "7", "\"hearings\" must be"},
      {"graft", "hearings", "[7]", "must be"},
      {"share granted", "action", "\"lent\"", "\"action\" must be one of: granted, revoked"},
      {"share granted", "court", "\"paris.example/\"", "\"court\" is not the name of a court"},
      {"share granted", "court", "\"\"", "\"court\" is not the name of a court"},
      {"share granted", "until", "\"tomorrow\"", "\"until\" must be a time"},
      {"share revoked", "reason_sha256", "", "\"reason_sha256\" must be 64"},
      {"share revoked", "account", "\"John Smith\"", "\"account\" must be an id"},
  };
  for (const Refusal& one : refusals) {
    INFO(one.vector << " " << one.key << " = " << one.value);
    const std::string entry = changed(golden("main-entries.json", one.vector), one.key, one.value);
    check_refused(greffe::parse_main_entry(entry), one.because);
  }
}

TEST_CASE("an entry is canonical JSON of at most 65,535 bytes") {
  const std::string entry = golden("hearing-entries.json", "stream");
  check_refused(greffe::parse_hearing_entry(" " + entry), "canonical form");
  check_refused(greffe::parse_hearing_entry(entry + "\n"), "canonical form");
  check_refused(greffe::parse_hearing_entry("[]"), "\"kind\" must be a text");
  check_refused(greffe::parse_hearing_entry(""), "the text ends");
  const std::string long_text = R"({"kind":"weather","text":")" + std::string(70'000, 'x') + R"(","v":1})";
  check_refused(greffe::parse_hearing_entry(long_text), "at most 65,535 bytes");
  check_refused(greffe::parse_main_entry(long_text), "at most 65,535 bytes");
}

TEST_CASE("the reasons of gaps are a closed list; three of them excuse") {
  const std::vector<std::string_view> all{"recess",  "closed-evidence", "mediation", "fault",    "power",
                                          "network", "no-signal",       "operator",  "unknown"};
  CHECK(greffe::kGapReasons == all);
  std::size_t excused = 0;
  for (const std::string_view reason : all) excused += greffe::is_excused(reason);
  CHECK(excused == 3);
  CHECK_FALSE(greffe::is_excused("lunch"));
}
