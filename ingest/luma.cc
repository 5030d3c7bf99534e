#include "ingest/luma.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace greffe::ingest {
namespace {

constexpr int kCellsAcross = 64;
constexpr int kCellsDown = 36;
constexpr std::size_t kBlocksAcross = 16;
constexpr std::size_t kBlocksDown = 9;
constexpr int kRowStep = 8;
constexpr std::uint8_t kNearlyBlack = 18;   // where noise is cut off
constexpr std::uint8_t kNearlyWhite = 233;

// What differs in one part of two pictures.
struct Block {
  std::uint64_t counted = 0;
  std::uint64_t changed = 0;
  std::uint64_t squares = 0;

  void add(std::uint8_t a, std::uint8_t b) {
    const auto [low, high] = std::minmax(a, b);
    if (high <= kNearlyBlack || low >= kNearlyWhite) return;
    const auto step = static_cast<std::uint64_t>(high - low);
    ++counted;
    changed += step > 0 ? 1 : 0;
    squares += step * step;
  }
};

struct Plane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t line = 0;  // bytes from one row to the next
  int width = 0;
  int height = 0;
  bool full_range = false;

  const std::uint8_t* row(int y) const { return data + y * line; }
};

bool has_byte_luma(const AVPixFmtDescriptor& format) {
  constexpr std::uint64_t kOther = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM;
  const AVComponentDescriptor& luma = format.comp[0];
  return (format.flags & kOther) == 0 && luma.plane == 0 && luma.step == 1 && luma.depth == 8 && luma.offset == 0;
}

std::uint64_t mix(std::uint64_t digest, std::uint64_t word) { return std::rotl((digest ^ word) * 0x9E3779B97F4A7C15ULL, 29); }

std::uint64_t digest_of(const Plane& plane) {
  std::uint64_t out = 0;
  for (int y = 0; y < plane.height; ++y) {
    const std::uint8_t* row = plane.row(y);
    int x = 0;
    for (; x + 8 <= plane.width; x += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, row + x, 8);
      out = mix(out, word);
    }
    for (; x < plane.width; ++x) out = mix(out, row[x]);
  }
  return out;
}

std::vector<float> cells_of(const Plane& plane) {
  std::vector<std::uint64_t> sums(kCellsAcross * kCellsDown);
  std::vector<std::uint64_t> counts(kCellsAcross * kCellsDown);
  for (int y = 0; y < plane.height; ++y) {
    const std::uint8_t* row = plane.row(y);
    const auto down = static_cast<std::size_t>(y) * kCellsDown / static_cast<std::size_t>(plane.height);
    for (int across = 0; across < kCellsAcross; ++across) {
      const int first = across * plane.width / kCellsAcross;
      const int last = (across + 1) * plane.width / kCellsAcross;
      std::uint64_t sum = 0;
      for (int x = first; x < last; ++x) sum += row[x];
      const std::size_t cell = down * kCellsAcross + static_cast<std::size_t>(across);
      sums[cell] += sum;
      counts[cell] += static_cast<std::uint64_t>(last - first);
    }
  }
  std::vector<float> out;  // a picture smaller than the grid has fewer
  for (std::size_t cell = 0; cell < sums.size(); ++cell) {
    if (counts[cell] > 0) out.push_back(static_cast<float>(sums[cell]) / static_cast<float>(counts[cell]));
  }
  return out;
}

Brightness brightness_of(const std::vector<float>& cells, bool full_range) {
  double sum = 0;
  double squares = 0;
  for (const float cell : cells) {
    const double level = full_range ? 16 + cell * 219.0 / 255 : double{cell};
    sum += level;
    squares += level * level;
  }
  const auto count = static_cast<double>(cells.size());
  Brightness out;
  out.mean = sum / count;
  out.deviation = std::sqrt(std::max(0.0, squares / count - out.mean * out.mean));
  return out;
}

LumaSample sample_of(const Plane& plane) {
  LumaSample out{digest_of(plane), plane.width, plane.height, {}, cells_of(plane)};
  out.rows.reserve(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height / kRowStep + 1));
  for (int y = 0; y < plane.height; y += kRowStep) out.rows.insert(out.rows.end(), plane.row(y), plane.row(y) + plane.width);
  return out;
}

}  // namespace

bool has_full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P: return true;
    default: return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

Difference difference(const LumaSample& a, const LumaSample& b) {
  if (a.width != b.width || a.height != b.height) return {1, 65025, 65025, 255};
  Difference out;
  if (a.digest == b.digest) return out;
  std::vector<Block> blocks(kBlocksAcross * kBlocksDown);
  const auto width = static_cast<std::size_t>(a.width);
  const std::size_t rows = a.rows.size() / width;
  for (std::size_t y = 0; y < rows; ++y) {
    Block* line = blocks.data() + y * kBlocksDown / rows * kBlocksAcross;
    for (std::size_t x = 0; x < width; ++x) line[x * kBlocksAcross / width].add(a.rows[y * width + x], b.rows[y * width + x]);
  }
  std::vector<double> squares;
  std::uint64_t counted = 0;
  std::uint64_t changed = 0;
  for (const Block& block : blocks) {
    counted += block.counted;
    changed += block.changed;
    if (block.counted > 0) squares.push_back(static_cast<double>(block.squares) / static_cast<double>(block.counted));
  }
  if (counted > 0) {
    std::sort(squares.begin(), squares.end());
    out.changed = static_cast<double>(changed) / static_cast<double>(counted);
    out.middle = squares[squares.size() / 2];
    out.high = squares[squares.size() * 9 / 10];
  }
  for (std::size_t i = 0; i < a.cells.size(); ++i) {
    out.most = std::max(out.most, std::abs(double{a.cells[i]} - double{b.cells[i]}));
  }
  return out;
}

Result<LumaReader::Seen> LumaReader::read(const AVFrame& frame) {
  if (frame.width <= 0 || frame.height <= 0) return fail(Errc::invalid, "a picture has no size");
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  if (description == nullptr) return fail(Errc::invalid, "a picture has an unknown pixel format");
  const AVFrame* from = &frame;
  if (!has_byte_luma(*description)) {
    scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height, format, frame.width, frame.height,
                                       AV_PIX_FMT_GRAY8, SWS_POINT, nullptr, nullptr, nullptr));
    if (!scaler_) return fail(Errc::invalid, std::string("pictures in the form ") + description->name + " cannot be converted");
    grey_.reset(av_frame_alloc());
    if (!grey_) return fail(Errc::unavailable, "there is not enough memory");
    if (sws_scale_frame(scaler_.get(), grey_.get(), &frame) < 0) return fail(Errc::unavailable, "a picture cannot be converted");
    grey_->color_range = AVCOL_RANGE_JPEG;  // that is what libswscale makes of it
    from = grey_.get();
  }
  const Plane plane{from->data[0], from->linesize[0], from->width, from->height, has_full_range(*from)};
  Seen out;
  out.sample = sample_of(plane);
  out.brightness = brightness_of(out.sample.cells, plane.full_range);
  grey_.reset();
  return out;
}

}  // namespace greffe::ingest
