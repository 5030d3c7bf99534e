#include "archive/format/closing_sheet.h"

#include "tests/unit/format/vectors.h"

using namespace greffe;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

namespace {

PrivateKey vector_station() { return need(PrivateKey::from_seed(sha256(as_bytes("greffe vector station")).view())); }
std::string vector_file() { return need(vectors("closing-sheet.json").string("file")); }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  INFO(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The sheet as somebody who holds the station's key would sign it.
std::string signed_again(const std::string& file) {
  Json json = need(parse_json(file));
  const Json sheet = need(json.object("sheet"));
  const std::string text = write_json(sheet);
  const VerifierKey key{need(parse_closing_sheet(vector_file())).origin(), KeyType::ed25519, vector_station().public_key()};
  SignedNote note;
  note.text = "greffe closing sheet v1\n" + key.name + "\nsha256 " + sha256(as_bytes(text)).hex() + "\n";
  const Signature signature = vector_station().sign(as_bytes(note.text));
  put_signature(note, {key.name, key.id(), Bytes(signature.begin(), signature.end())});
  json.set("signature", note.write());
  return write_json(json);
}

}  // namespace

TEST_CASE("a closing sheet made by another program is read, and written again is the same") {
  const std::string file = vector_file();
  const ClosingSheet sheet = need(parse_closing_sheet(file));
  CHECK(sheet.court_names.at("zh") == "法院");
  CHECK(sheet.zone == "Europe/Paris");
  REQUIRE(sheet.streams.size() == 1);
  const TimeSums& time = sheet.streams[0].time;
  CHECK((time.recorded_ms == 15'000 && time.excused_ms == 4'000 && time.unexcused_ms == 1'000));
  CHECK((time.declared_ms == 20'000 && time.unexplained_ms == 500));
  CHECK(sheet.streams[0].duration_90k == 1'350'000);
  REQUIRE(sheet.interruptions.size() == 1);
  CHECK(sheet.interruptions[0].person == "u-17");
  CHECK(need(parse_note(sheet.interruptions[0].note)) == "Témoin");
  REQUIRE(sheet.interruptions[0].explanations.size() == 1);
  CHECK((sheet.interruptions[0].explanations[0].person == "u-18" && sheet.interruptions[0].explanations[0].reason == "fault"));
  CHECK(need(parse_note(sheet.interruptions[0].explanations[0].note)) == "late");
  CHECK(need(parse_details(sheet.details)).title == "庭審");
  CHECK(need(parse_signed_checkpoint(sheet.checkpoint)).checkpoint.size == 17);
  CHECK(write_closing_sheet(sheet, vector_station()) == file);
  CHECK(parse_closing_sheet(file + "\n"));  // as an editor leaves it
}

TEST_CASE("no byte of a closing sheet can be changed") {
  const std::string file = vector_file();
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const char flip : {1, 32}) {
      std::string altered = file;
      altered[i] = static_cast<char>(altered[i] ^ flip);
      INFO(i);
      REQUIRE_FALSE(parse_closing_sheet(altered));
    }
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, file.size() / 2, file.size() - 1}) {
    CHECK_FALSE(parse_closing_sheet(std::string_view(file).substr(0, size)));
  }
}

TEST_CASE("a sheet that another key signed is corrupt, not malformed") {
  const auto altered = parse_closing_sheet(replaced(vector_file(), "\"room\":\"room-3\"", "\"room\":\"room-4\""));
  REQUIRE_FALSE(altered);
  CHECK(altered.error().code == Errc::corrupt);
  const ClosingSheet sheet = need(parse_closing_sheet(vector_file()));
  const auto forged = parse_closing_sheet(write_closing_sheet(sheet, PrivateKey::generate()));
  REQUIRE_FALSE(forged);
  CHECK(forged.error().code == Errc::corrupt);
}

TEST_CASE("a sheet that contradicts itself is refused though it is signed") {
  const std::string file = vector_file();
  const std::string root = sha256(as_bytes("hearing root")).hex();
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& because) {
    INFO(from);
    check_refused(parse_closing_sheet(signed_again(replaced(file, from, to))), because);
  };
  REQUIRE(parse_closing_sheet(signed_again(file)));
  refused("\"recorded_ms\":15000", "\"recorded_ms\":15001", "do not add up");
  refused("\"unexplained_ms\":500", "\"unexplained_ms\":1001", "do not add up");
  refused("\"excused_ms\":4000", "\"excused_ms\":-4000", "\"excused_ms\" must be");
  refused("\"size\":17", "\"size\":18", "\"log\" is not what its checkpoint says");
  refused(root, sha256(as_bytes("x")).hex(), "\"log\" is not what its checkpoint says");
  refused("\"v\":1,\"zone\"", "\"v\":2,\"zone\"", "version 2");
  refused("\"kind\":\"closing-sheet\"", "\"kind\":\"details\"", "\"kind\" must be \"closing-sheet\"");
  refused("\"reason\":\"recess\"", "\"reason\":\"lunch\"", "\"reason\" of an interruption");
  refused("\"streams\":[\"*\"]", "\"streams\":[\"*\",\"mic-judge\"]", "\"streams\" must be");
  refused("\"archive\":\"archive.court.example\"", "\"archive\":\"other.court.example\"", "its checkpoint is of another hearing");
  check_refused(parse_closing_sheet("[]"), "must be an object with the members");
  check_refused(parse_closing_sheet("{\"sheet\":{}}"), "must be an object with the members");
  check_refused(parse_closing_sheet(std::string(kMaxClosingSheetBytes + 1, ' ')), "more than 16 MiB");
}

TEST_CASE("a sheet says that the case was corrected, and its details are the last ones") {
  const std::string file = vector_file();
  const std::string right = sha256(as_bytes(need(parse_closing_sheet(file)).details)).hex();
  const std::string other = sha256(as_bytes("another case")).hex();
  const auto with = [&](const std::string& corrections) {
    return signed_again(replaced(file, "\"court\":\"court-1\"", "\"corrections\":" + corrections + ",\"court\":\"court-1\""));
  };
  const std::string first = "{\"details_sha256\":\"" + other + "\",\"utc\":\"2026-11-22T09:00:01.000Z\"}";
  const std::string second = "{\"details_sha256\":\"" + right + "\",\"person\":\"g-07\",\"utc\":\"2026-11-22T09:00:02.000Z\"}";
  const std::string corrected = with("[" + first + "," + second + "]");
  const ClosingSheet sheet = need(parse_closing_sheet(corrected));
  REQUIRE(sheet.corrections.size() == 2);
  CHECK((sheet.corrections[0].person.empty() && sheet.corrections[0].details.hex() == other));
  CHECK((sheet.corrections[1].person == "g-07" && sheet.corrections[1].utc == need(parse_utc("2026-11-22T09:00:02.000Z"))));
  CHECK(write_closing_sheet(sheet, vector_station()) == corrected);
  const std::string differs = "\"details\" is not what the last of \"corrections\" names";
  check_refused(parse_closing_sheet(with("[" + second + "," + first + "]")), differs);
  check_refused(parse_closing_sheet(with("[]")), differs);
  check_refused(parse_closing_sheet(with("[{\"details_sha256\":\"" + right + "\"}]")), "\"utc\" must be a time");
  check_refused(parse_closing_sheet(with("[" + replaced(second, "g-07", "Anne Morel") + "]")), "\"person\" must be an id");
}

TEST_CASE("the signature of a sheet is none of a checkpoint, and the other way round") {
  const ClosingSheet sheet = need(parse_closing_sheet(vector_file()));
  Json json = need(parse_json(vector_file()));
  CHECK_FALSE(parse_signed_checkpoint(need(json.string("signature"))));
  json.set("signature", sheet.checkpoint);
  const auto swapped = parse_closing_sheet(write_json(json));
  REQUIRE_FALSE(swapped);
  CHECK(swapped.error().code == Errc::corrupt);
}
