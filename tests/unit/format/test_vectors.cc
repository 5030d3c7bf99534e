// Published vectors: Certificate Transparency's trees, the C2SP note example, and a log of 300 entries whose files were
// made by another implementation.
#include <catch2/catch.hpp>

#include <map>

#include "archive/format/merkle.h"
#include "archive/format/policy.h"
#include "archive/format/signed_note.h"
#include "archive/format/tiles.h"

using greffe::Bytes;
using greffe::Digest;

namespace {

Digest hex(std::string_view text) { return *greffe::digest_from_hex(text); }

constexpr const char* kLeaves[] = {"",         "00",       "10",               "2021",
                                   "3031",     "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
constexpr const char* kRoots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
const Digest A = hex("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
const Digest B = hex("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
const Digest C = hex("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
const Digest D = hex("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
const Digest E = hex("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
const Digest F = hex("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");

const greffe::SubtreeReader kPublished = [](unsigned level, std::uint64_t index) -> greffe::Result<Digest> {
  greffe::TreeEdge edge;
  for (std::uint64_t i = index << level; i < (index + 1) << level; ++i) edge.append(greffe::leaf_hash(*greffe::from_hex(kLeaves[i])));
  return edge.root();
};

std::vector<std::string> entries_of_log() {
  std::vector<std::string> out;
  for (int i = 0; i < 300; ++i) out.push_back("{\"n\":" + std::to_string(i) + "}");
  return out;
}

greffe::PrivateKey key_of(std::string_view label) {
  const Digest seed = greffe::sha256(greffe::as_bytes(label));
  return std::move(*greffe::PrivateKey::from_seed(seed.bytes));
}

const char* const kProof =
    "c2sp.org/tlog-proof@v1\n"
    "index 257\n"
    "XUZ7Vg2XKJxgfvNsNmEhcksw0IP/sU8boYuDIzBtm1c=\n"
    "rTexm/sgsRV1hM/WTJGOjY/qR1QXE8r78taShXuKdvc=\n"
    "BG1lts9nhK2ocw+fxVFZK0f+aTH3uhgokpwi64trisM=\n"
    "bcpEM7Uh3xBQDU4JmMleCJH+SvPFL7D9Md03b0vliE8=\n"
    "DmKvoO/NB+xIQ44clboKqNNjnwrGzrAXtkn7HYXzHvA=\n"
    "IZYT/ODkZjQ26t9W2DoSQxhzRYP9y7e4X42X7m2qFhI=\n"
    "VnQwAQGAjJawsusbRIYV+xyYZQslg7Z5HPTHZJGKgj0=\n"
    "\n"
    "greffe.example/core\n"
    "300\n"
    "JrMFtGYT2swoXiJf8CTSJiXzRsxtANIdftEzHwZ6mLw=\n"
    "\n"
    "\xE2\x80\x94 greffe.example/core f/E8XFITkScwLp6M/qK5qbZoPsy0Dj14xwFVJoGBOXtx1ubVP/HOrFYbihUaSSw9d47BDsp9+DzmAC6SvKRYApDguQs=\n"
    "\xE2\x80\x94 dr.greffe.example tceR+AAAAABpVbkAeRgXLNUznOfgGsI4ejXBij2+pGdlcg6kNjFSDZaNBC6cWUwuegsD7lMPVMRHAZ7DfG+JLL84OtCW781hGx9fAA==\n";
constexpr const char* kLogKey = "greffe.example/core+7ff13c5c+ASh58/wz3WZFjIYkZTIS+F0cV7t+mvtDRi2GNWleLTAA";
constexpr const char* kDrKey = "dr.greffe.example+b5c791f8+BH0Ida3vyb5zhUpadrqiuXBd/SJuPPqiBqogO38I4W53";

}  // namespace

TEST_CASE("Certificate Transparency's trees of 1 to 8 leaves") {
  greffe::TreeEdge edge;
  CHECK(edge.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t i = 0; i < 8; ++i) {
    edge.append(greffe::leaf_hash(*greffe::from_hex(kLeaves[i])));
    CHECK(edge.root().hex() == kRoots[i]);
  }
  const auto proof = [](std::uint64_t i, std::uint64_t n) { return *greffe::inclusion_proof(i, n, kPublished); };
  const auto growth = [](std::uint64_t m, std::uint64_t n) { return *greffe::consistency_proof(m, n, kPublished); };
  using List = std::vector<Digest>;
  CHECK(proof(0, 8) == List{A, B, C});
  CHECK(proof(5, 8) == List{E, D, hex(kRoots[3])});
  CHECK(proof(2, 3) == List{hex(kRoots[1])});
  CHECK(proof(1, 5) == List{hex(kRoots[0]), B, E});
  CHECK(growth(1, 8) == List{A, B, C});
  CHECK(growth(6, 8) == List{F, D, hex(kRoots[3])});
  CHECK(growth(2, 5) == List{B, E});
}

TEST_CASE("the signed-note example") {
  const std::string text =
      "This is an example message.\n\n"
      "\xE2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
  const auto note = greffe::parse_signed_note(text);
  REQUIRE(note);
  const auto key = greffe::parse_verifier_key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  REQUIRE(key);
  CHECK(greffe::verify_note(*note, *key));
  CHECK(note->write() == text);
}

TEST_CASE("a log of 300 entries: leaves, roots, tiles, bundles") {
  const std::vector<std::string> entries = entries_of_log();
  std::vector<Digest> leaves;
  greffe::TreeEdge edge;
  std::map<std::size_t, std::string> roots;
  for (const std::string& entry : entries) {
    leaves.push_back(greffe::leaf_hash(greffe::as_bytes(entry)));
    edge.append(leaves.back());
    roots[leaves.size()] = edge.root().hex();
  }
  CHECK(leaves[0].hex() == "f94070abfd2da0bf72902eb13a808e794f954d9e2745c682a158f6ed0d4ac036");
  CHECK(leaves[257].hex() == "e5468164a928648a970bbb602ef5febdcb4c17484d69da8f817c8ca231fb7b3f");
  CHECK(roots[7] == "8eefbabda4f08b5448b4dbb04eb1ebcf2cd86bf367d1c0fec3214882a91b7b9e");
  CHECK(roots[255] == "46480c89222784e88d44ddda3b272cb4a6cba9d47e0184170f24e0c363dd67d9");
  CHECK(roots[256] == "5674300101808c96b0b2eb1b448615fb1c98650b2583b6791cf4c764918a823d");
  CHECK(roots[257] == "9ac4c5b4d82fd3136ea384ce5f0b19825197b47e5e9aaeac18d24db89b910310");
  CHECK(roots[300] == "26b305b46613dacc285e225ff024d22625f346cc6d00d21d7ed1331f067a98bc");
  const std::span<const std::string> all(entries);
  const std::string full = greffe::write_bundle(all.first(256));
  const std::string rest = greffe::write_bundle(all.subspan(256));
  CHECK(full.size() == 2706);
  CHECK(greffe::sha256(greffe::as_bytes(full)).hex() == "4f5cc32d2b7ed28f6223c4cf77ffc5ece1a37137e75b5987ff201019bac5ed09");
  CHECK(rest.size() == 484);
  CHECK(greffe::sha256(greffe::as_bytes(rest)).hex() == "218fd86d95532731f1409937b31109c59435d20de240979df3aa8307fa7dc083");
  const std::span<const Digest> hashes(leaves);
  CHECK(greffe::sha256(greffe::write_tile(hashes.first(256))).hex() ==
        "bbbacfcbb4647511e8a1189ffb9c99988745f25660daebea49f57fe22993d097");
  CHECK(greffe::sha256(greffe::write_tile(hashes.subspan(256))).hex() ==
        "6439e8f79088ac25312936c760092994ac54eecf1dc8d5861d1472f4c6664634");
  CHECK(greffe::tile_root(hashes.first(256)).hex() == roots[256]);
  CHECK(greffe::partial_width(0, 300) == 44);
  CHECK(greffe::partial_width(1, 300) == 1);
  CHECK(greffe::partial_width(0, 70'000) == 112);
  CHECK(greffe::partial_width(1, 70'000) == 17);
  CHECK(greffe::partial_width(2, 70'000) == 1);
  CHECK((*greffe::parse_bundle(greffe::as_bytes(full)))[255] == entries[255]);
}

TEST_CASE("keys, signatures and cosignatures of that log") {
  const greffe::PrivateKey log = key_of("greffe test log key");
  const greffe::PrivateKey dr = key_of("greffe test dr witness key");
  const greffe::VerifierKey log_key{"greffe.example/core", greffe::KeyType::ed25519, log.public_key()};
  const greffe::VerifierKey dr_key{"dr.greffe.example", greffe::KeyType::cosignature_v1, dr.public_key()};
  CHECK(log_key.text() == kLogKey);
  CHECK(dr_key.text() == kDrKey);
  const auto proof = greffe::parse_tlog_proof(kProof);
  REQUIRE(proof);
  CHECK(greffe::sha256(greffe::as_bytes(kProof)).hex() == "341866c2bafa3e80beca9e89b7bea2dad7b336fede5ed8e1b41ded5225a8a02f");
  CHECK(greffe::write_tlog_proof(*proof) == kProof);
  const auto checkpoint = greffe::parse_signed_checkpoint(proof->checkpoint);
  REQUIRE(checkpoint);
  CHECK(greffe::verify_note(checkpoint->note, log_key));
  CHECK(greffe::verify_cosignature(checkpoint->note, dr_key)->ms == 1767225600000);
  CHECK(greffe::sign_checkpoint(checkpoint->checkpoint, log) == checkpoint->note.signatures[0]);
  CHECK(greffe::cosign_checkpoint(checkpoint->checkpoint, "dr.greffe.example", dr, greffe::UtcTime{1767225600000}) ==
        checkpoint->note.signatures[1]);
  CHECK(greffe::verify_inclusion(257, 300, greffe::leaf_hash(greffe::as_bytes("{\"n\":257}")), proof->hashes,
                                 checkpoint->checkpoint.root));
  const auto policy = greffe::parse_policy(std::string("log ") + kLogKey + "\nwitness dr " + kDrKey + "\nquorum dr\n");
  REQUIRE(policy);
  const auto verdict = greffe::apply_policy(*policy, checkpoint->note);
  REQUIRE(verdict);
  CHECK(verdict->quorum_met);
}

TEST_CASE("each mutation of the proof is refused") {
  const auto log_key = *greffe::parse_verifier_key(kLogKey);
  const auto policy = *greffe::parse_policy(std::string("log ") + kLogKey + "\nwitness dr " + kDrKey + "\nquorum dr\n");
  const auto accepted = [&](const std::string& text, std::string_view entry) {
    const auto proof = greffe::parse_tlog_proof(text);
    if (!proof) return false;
    const auto checkpoint = greffe::parse_signed_checkpoint(proof->checkpoint);
    if (!checkpoint) return false;
    const auto verdict = greffe::apply_policy(policy, checkpoint->note);
    if (!verdict || !verdict->quorum_met) return false;
    return bool(greffe::verify_inclusion(proof->index, checkpoint->checkpoint.size,
                                         greffe::leaf_hash(greffe::as_bytes(entry)), proof->hashes, checkpoint->checkpoint.root));
  };
  const std::string good = kProof;
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string out = good;
    out.replace(out.find(from), from.size(), to);
    return out;
  };
  REQUIRE(accepted(good, "{\"n\":257}"));
  CHECK_FALSE(accepted(good, "{\"n\":256}"));
  CHECK_FALSE(accepted(replaced("index 257", "index 256"), "{\"n\":257}"));
  CHECK_FALSE(accepted(replaced("\n300\n", "\n301\n"), "{\"n\":257}"));
  CHECK_FALSE(accepted(replaced("XUZ7Vg2XKJxgfvNsNmEhcksw0IP/sU8boYuDIzBtm1c=\nrTexm/sgsRV1hM/WTJGOjY/qR1QXE8r78taShXuKdvc=",
                                "rTexm/sgsRV1hM/WTJGOjY/qR1QXE8r78taShXuKdvc=\nXUZ7Vg2XKJxgfvNsNmEhcksw0IP/sU8boYuDIzBtm1c="),
                       "{\"n\":257}"));
  CHECK_FALSE(accepted(good.substr(0, good.find("\xE2\x80\x94 dr.")), "{\"n\":257}"));
  CHECK_FALSE(accepted(replaced("core f/E8XF", "core f/E9XF"), "{\"n\":257}"));
  CHECK_FALSE(accepted(replaced("mLw=\n", "mLw=\nextension\n"), "{\"n\":257}"));
  CHECK_FALSE(accepted(good.substr(0, good.size() - 1), "{\"n\":257}"));
}
