#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "archive/verify/export_files.h"
#include "archive/verify/files.h"
#include "archive/verify/tile_tree.h"
#include "archive/verify/verifier.h"

using greffe::Digest;
using greffe::TreeEdge;
using std::string_literals::operator""s;
namespace verify = greffe::verify;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "greffe.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string at(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(at(name)).parent_path());
    std::ofstream(at(name), std::ios::binary) << text;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Digest leaf(std::uint64_t i) { return greffe::leaf_hash(greffe::as_bytes(std::to_string(i))); }

}  // namespace

TEST_CASE("the tile tree has the roots of the running tree at every size") {
  verify::TileTree tree;
  TreeEdge edge;
  std::vector<Digest> roots = {greffe::empty_root()};
  for (std::uint64_t i = 0; i < 1100; ++i) {
    tree.append(leaf(i));
    edge.append(leaf(i));
    roots.push_back(edge.root());
  }
  for (std::uint64_t size = 0; size <= 1100; ++size) REQUIRE(tree.root_at(size) == roots[size]);
  CHECK(tree.tile({false, 1, 0, 4}).size() == 4);
  CHECK(tree.tile({false, 0, 4, 76}).size() == 76);
  CHECK(tree.tile({false, 0, 4, 0}).empty());
  CHECK(tree.names().size() == 6);  // 4 full and one partial at level 0, one partial at level 1
}

TEST_CASE("only the paths of an export are paths of an export") {
  const std::string hex(64, 'a');
  for (const std::string& good : {"README.txt"s, "main/checkpoint"s, "main/entries/0.json"s, "main/proofs/17.tlog-proof"s,
                                  "hearing/cosigned/0a1b2c3d"s, "hearing/tile/entries/000.p/44"s, "hearing/tile/0/x001/067"s,
                                  "objects/" + hex + ".mp4", "objects/" + hex + ".bin", "play/cam-bench.m3u8"s}) {
    CHECK(verify::is_export_path(good));
  }
  for (const std::string& bad : {"../x"s, "main/../README.txt"s, "/README.txt"s, "main//checkpoint"s, "main/entries/00.json"s,
                                 "main/entries/-1.json"s, "hearing/cosigned/0A1B2C3D"s, "hearing/tile/0/000.p/256"s,
                                 "objects/" + hex + ".exe", "objects/" + hex, "play/../x.m3u8"s, "play/Cam.m3u8"s, ""s,
                                 "README.txt\n"s, "hearing/tile/00/000"s}) {
    CHECK_FALSE(verify::is_export_path(bad));
  }
}

TEST_CASE("files are never read through symbolic links, and never beyond the limit") {
  const Folder folder;
  folder.write("file", "twelve bytes");
  std::filesystem::create_symlink(folder.at("file"), folder.at("link"));
  greffe::Bytes buffer;
  CHECK(verify::read_text(folder.at("file"), 12).value() == "twelve bytes");
  CHECK(verify::read_text(folder.at("file"), 11).error().code == greffe::Errc::corrupt);
  CHECK(verify::read_text(folder.at("link"), 100).error().code == greffe::Errc::corrupt);
  CHECK(verify::read_text(folder.at("none"), 100).error().code == greffe::Errc::not_found);
  CHECK(verify::read_text(folder.path(), 100).error().code == greffe::Errc::corrupt);
  CHECK(verify::kind_of(folder.at("link")).value() == verify::FileKind::symlink);
}

TEST_CASE("without a good policy or a path the verifier cannot run") {
  const Folder folder;
  folder.write("policy", "quorum none\n");
  verify::VerifyRequest request;
  request.policy_file = folder.at("absent");
  request.paths = {folder.path()};
  CHECK_FALSE(verify::verify(request));
  request.policy_file = folder.at("policy");
  const auto no_log = verify::verify(request);
  REQUIRE_FALSE(no_log);
  CHECK(no_log.error().message.find("names no log") != std::string::npos);
}

TEST_CASE("the verdict of a whole is the worst of its findings") {
  using verify::Verdict;
  verify::Report report;
  CHECK(report.verdict() == Verdict::verified);
  verify::HearingSummary hearing;
  hearing.hearing = "h";
  hearing.gaps.push_back({7, {"*"}, {}, {}, "recess", "", {}, {}});
  report.add(hearing);
  CHECK(report.verdict() == Verdict::verified_with_declared_gaps);
  verify::Finding finding;
  for (const Verdict next : {Verdict::incomplete, Verdict::unknown_format, Verdict::unreadable, Verdict::tampered, Verdict::incomplete}) {
    finding.verdict = next;
    report.add(finding);
  }
  CHECK(report.verdict() == Verdict::tampered);
  CHECK(report.words().starts_with("TAMPERED\n"));
  CHECK(report.json().string("verdict").value() == "TAMPERED");
}
