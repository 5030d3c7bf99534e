// A closing sheet without its recording: what can be said of it, and what cannot. With a recording:
// tests/system/test_closing_sheet.py.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "archive/format/closing_sheet.h"
#include "archive/verify/verifier.h"

using namespace greffe;
using namespace greffe::verify;

namespace {

struct Folder {
  std::string path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "greffe.XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name, std::ios::binary) << text;
    return path + "/" + name;
  }
};

std::string vector_file() {
  std::ifstream file(std::string(GREFFE_VECTORS) + "/closing-sheet.json", std::ios::binary);
  const auto json = parse_json(std::string{std::istreambuf_iterator<char>(file), {}});
  REQUIRE(json);
  return *json->string("file");
}

std::string policy_of(const std::string& archive) {
  return "log " + VerifierKey{archive, KeyType::ed25519, PrivateKey::generate().public_key()}.text() + "\nquorum none\n";
}

std::vector<std::string> codes(const Report& report) {
  std::vector<std::string> out;
  for (const Finding& finding : report.findings()) out.push_back(finding.code);
  return out;
}

}  // namespace

TEST_CASE("a sheet alone is never verified: it names its key itself") {
  const Folder folder;
  VerifyRequest request;
  request.policy_file = folder.write("policy", policy_of("archive.court.example"));
  request.sheet_file = folder.write("sheet.json", vector_file());
  const auto whole = greffe::verify::verify(request);
  REQUIRE(whole);
  CHECK((*whole)->verdict() == Verdict::incomplete);
  CHECK(codes(**whole) == std::vector<std::string>{"sheet-alone"});
  CHECK_THAT((*whole)->words(), Catch::Contains("exported hearing"));

  const std::string note = parse_closing_sheet(vector_file())->checkpoint;
  std::string other_line_ends;
  for (const char c : note.substr(0, note.size() - 1)) other_line_ends += c == '\n' ? "\r\n" : std::string(1, c);
  for (const std::string& text : {note, note.substr(0, note.size() - 1), note + "\n", other_line_ends}) {
    request.sheet_file = folder.write("code.txt", text);
    const auto code = greffe::verify::verify(request);
    REQUIRE(code);
    CHECK(codes(**code) == std::vector<std::string>{"sheet-alone"});
  }

  request.policy_file = folder.write("other", policy_of("other.court.example"));
  request.sheet_file = folder.write("sheet.json", vector_file());
  CHECK(codes(**greffe::verify::verify(request)) == std::vector<std::string>{"sheet-archive", "sheet-alone"});
}

TEST_CASE("an altered sheet is TAMPERED, another file is not a sheet") {
  const Folder folder;
  VerifyRequest request;
  request.policy_file = folder.write("policy", policy_of("archive.court.example"));
  std::string altered = vector_file();
  altered.replace(altered.find("room-3"), 6, "room-4");
  request.sheet_file = folder.write("sheet.json", altered);
  const auto report = greffe::verify::verify(request);
  REQUIRE(report);
  CHECK((*report)->verdict() == Verdict::tampered);
  CHECK(codes(**report) == std::vector<std::string>{"sheet-signature"});
  for (const std::string& text : {std::string("{}"), std::string("hello\n"), std::string(), policy_of("archive.court.example")}) {
    request.sheet_file = folder.write("sheet.json", text);
    const auto refused = greffe::verify::verify(request);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid);
    CHECK_THAT(refused.error().message, Catch::Contains("sheet"));
  }
  request.sheet_file = folder.path + "/none";
  CHECK(greffe::verify::verify(request).error().code == Errc::not_found);
}

TEST_CASE("a sheet is compared with one exported hearing") {
  const Folder folder;
  VerifyRequest request;
  request.policy_file = folder.write("policy", policy_of("archive.court.example"));
  request.sheet_file = folder.write("sheet.json", vector_file());
  for (const std::string& name : {std::string("a"), std::string("b")}) {
    std::filesystem::create_directories(folder.path + "/" + name + "/hearing");
    request.paths.push_back(folder.path + "/" + name);
  }
  CHECK_THAT(greffe::verify::verify(request).error().message, Catch::Contains("one exported hearing"));
  std::filesystem::create_directories(folder.path + "/v");
  std::ofstream(folder.path + "/v/greffe-volume.json") << "{}";
  request.paths = {folder.path + "/v"};
  CHECK_THAT(greffe::verify::verify(request).error().message, Catch::Contains("one exported hearing"));
}
