// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * feed DEVICE WIDTH HEIGHT FPS LINK LIGHT: shows the frames of a file (YUYV, one after the other, again and again) on a V4L2 output device,
 * whose driver shows them as a camera. LINK may be pointed at another file at any time. A device that goes away is opened again.
 *
 * LINK may be a folder, too, with the same scene in the light of a ring: off.yuyv, left.yuyv, right.yuyv, both.yuyv. Then LIGHT (of
 * boothsim: two numbers, thousandths of full power) says a hundred times a second which of them is seen.
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_BUFFERS 3
/* The light of the pictures is 0 or 640 thousandths: what is nearer to the one or to the other. */
#define ON 320
#define LOOK_NS 10000000L

struct output {
	int device;
	unsigned n_queued;
	void *buffers[N_BUFFERS];
};

static void shut(struct output *out, size_t size)
{
	for (unsigned i = 0; i < N_BUFFERS; i++)
		if (out->buffers[i])
			munmap(out->buffers[i], size);
	if (out->device >= 0)
		close(out->device);
	memset(out, 0, sizeof(*out));
	out->device = -1;
}

static int open_output(struct output *out, const char *path, unsigned width, unsigned height)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
	struct v4l2_requestbuffers request = { .count = N_BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP };
	size_t size = (size_t)width * height * 2;

	out->device = open(path, O_RDWR);
	if (out->device < 0)
		return -1;
	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	if (ioctl(out->device, VIDIOC_S_FMT, &format) < 0 || format.fmt.pix.sizeimage != size ||
	    format.fmt.pix.pixelformat != V4L2_PIX_FMT_YUYV || ioctl(out->device, VIDIOC_REQBUFS, &request) < 0 || request.count != N_BUFFERS)
		goto wrong;
	for (unsigned i = 0; i < N_BUFFERS; i++) {
		struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP, .index = i };

		if (ioctl(out->device, VIDIOC_QUERYBUF, &buffer) < 0 || buffer.length < size)
			goto wrong;
		out->buffers[i] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, out->device, buffer.m.offset);
		if (out->buffers[i] == MAP_FAILED) {
			out->buffers[i] = NULL;
			goto wrong;
		}
	}
	return 0;
wrong:
	perror(path);
	shut(out, size);
	return -1;
}

static int show(struct output *out, const void *frame, size_t size)
{
	struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP };

	if (out->n_queued < N_BUFFERS)
		buffer.index = out->n_queued++;
	else if (ioctl(out->device, VIDIOC_DQBUF, &buffer) < 0)
		return -1;
	memcpy(out->buffers[buffer.index], frame, size);
	buffer.bytesused = size;
	buffer.field = V4L2_FIELD_NONE;
	if (ioctl(out->device, VIDIOC_QBUF, &buffer) < 0)
		return -1;
	if (out->n_queued == 1) {
		int type = V4L2_BUF_TYPE_VIDEO_OUTPUT;

		return ioctl(out->device, VIDIOC_STREAMON, &type);
	}
	return 0;
}

struct pictures {
	unsigned char *frames;
	/* Of the picture for each light; they are alike. */
	size_t length;
	bool by_light;
	ino_t inode;
};

static void append(struct pictures *all, const char *folder, const char *name, size_t size)
{
	char path[4096];
	struct stat file;
	size_t got = 0;
	ssize_t n = 1;

	snprintf(path, sizeof(path), "%s%s", folder, name);
	int from = open(path, O_RDONLY);
	unsigned char *room = from >= 0 && fstat(from, &file) == 0 ? realloc(all->frames, all->length + file.st_size + 1) : NULL;

	if (!room) {
		perror(path);
		exit(1);
	}
	all->frames = room;
	while (n > 0 && got < (size_t)file.st_size) {
		n = read(from, room + all->length + got, file.st_size - got);
		got += n > 0 ? n : 0;
	}
	close(from);
	all->length += got / size * size;
}

/* Reads what the link points at, if that is another than before. */
static void load(struct pictures *all, const char *link, size_t size)
{
	static const char *const by_light[] = { "/off.yuyv", "/left.yuyv", "/right.yuyv", "/both.yuyv" };
	struct stat now;

	if (stat(link, &now) < 0 || now.st_ino == all->inode)
		return;
	all->inode = now.st_ino;
	all->by_light = S_ISDIR(now.st_mode);
	all->length = 0;
	if (!all->by_light) {
		append(all, link, "", size);
		return;
	}
	for (int i = 0; i < 4; i++)
		append(all, link, by_light[i], size);
	all->length /= 4;
}

/* Bit 0: the left side is on; bit 1: the right one is. */
static unsigned sides_on(const char *path)
{
	char text[32] = "";
	unsigned left = 0, right = 0;
	int file = open(path, O_RDONLY);

	if (file >= 0) {
		if (read(file, text, sizeof(text) - 1) > 0)
			sscanf(text, "%u %u", &left, &right);
		close(file);
	}
	return (left > ON) | (right > ON) << 1;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static void add(struct timespec *to, long ns)
{
	to->tv_nsec += ns;
	if (to->tv_nsec >= 1000000000) {
		to->tv_nsec -= 1000000000;
		to->tv_sec++;
	}
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		fprintf(stderr, "feed DEVICE WIDTH HEIGHT FPS LINK LIGHT\n");
		return 2;
	}
	unsigned width = atoi(argv[2]), height = atoi(argv[3]), fps = atoi(argv[4]), sides = 0;
	size_t size = (size_t)width * height * 2, at = 0;
	struct pictures all = { 0 };
	struct output out = { .device = -1 };
	struct timespec next, look;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		load(&all, argv[5], size);
		if (all.length && (out.device >= 0 || open_output(&out, argv[1], width, height) == 0)) {
			sides = all.by_light ? sides_on(argv[6]) : 0;
			at = (at + size) % all.length;
			if (show(&out, all.frames + sides * all.length + at, size) < 0) {
				perror(argv[1]);
				shut(&out, size);
			}
		}
		look = next;
		add(&next, 1000000000 / fps);
		/* Between two frames the light may change: the driver takes each of the camera's frames from one of the buffers, wherever
		 * they stand in its queue, so all of them get the new light. */
		while (all.by_light && out.device >= 0 && is_before((add(&look, LOOK_NS), &look), &next)) {
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &look, NULL);
			unsigned now = sides_on(argv[6]);

			for (unsigned i = 0; now != sides && i < out.n_queued; i++)
				memcpy(out.buffers[i], all.frames + now * all.length + at, size);
			sides = now;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}
