// What can have become of a file on a disk.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_DAMAGES_H
#define GREFFE_TESTS_UNIT_SUPPORT_DAMAGES_H

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/unit/support/forgetful_file_system.h"

namespace greffe::testing {

enum class Damage { flipped, truncated, zeroed, swapped, deleted };
inline constexpr Damage kDamages[] = {Damage::flipped, Damage::truncated, Damage::zeroed, Damage::swapped, Damage::deleted};

inline std::string_view name_of(Damage damage) {
  constexpr std::string_view names[] = {"flipped", "truncated", "zeroed", "swapped", "deleted"};
  return names[static_cast<std::size_t>(damage)];
}

// `other`: the file of whose bytes it gets those when they are swapped. `salt` chooses the bit, so that two replicas differ.
inline void spoil(ForgetfulFileSystem& files, const std::string& path, Damage damage, const std::string& other, std::size_t salt) {
  if (damage == Damage::deleted) {
    REQUIRE(files.remove(path));
    REQUIRE(files.sync_directory(parent_of(path)));
    return;
  }
  const Bytes others = damage == Damage::swapped ? *files.read_file(other, 1 << 24) : Bytes();
  REQUIRE(files.damage(path, [&](Bytes& bytes) {
    const std::size_t at = (bytes.size() / 3 + 31 * salt) % bytes.size();
    if (damage == Damage::flipped) bytes[at] ^= static_cast<std::uint8_t>(1 << (salt % 8));
    if (damage == Damage::truncated) bytes.resize(at);
    if (damage == Damage::zeroed) std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
    if (damage == Damage::swapped) bytes = others;
  }));
}

}  // namespace greffe::testing

#endif
