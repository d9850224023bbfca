// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The buses of a booth, for the virtual machine of the tests: an I2C adapter with one display that acknowledges at 0x3c, an SPI
 * controller with spidev0.0, and a PWM chip of two channels. They do nothing but remember what they were told:
 *
 *   /sys/kernel/debug/boothsim/i2c, spi   bytes as they came, each transfer after a head of 4: address or chip select, flags, length (LE 16)
 *   /sys/kernel/debug/pwm                 the kernel's own list of levels
 *   /sys/kernel/debug/boothsim/light      what the LEDs of the two channels give, in thousandths of full power
 *
 * Writing to i2c or spi empties it. Parameters, writable while loaded: nak=1: the display does not answer; dead=N: nothing comes out of the
 * PWM's channel N, whatever it is set to (-1: of none).
 */
#include <linux/debugfs.h>
#include <linux/i2c.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>
#include <linux/seq_file.h>
#include <linux/spi/spi.h>
#include <linux/vmalloc.h>

#define DISPLAY 0x3c
#define ROOM (4u << 20)

static bool nak;
module_param(nak, bool, 0644);
static int dead = -1;
module_param(dead, int, 0644);

struct tape {
	struct mutex lock;
	u8 *bytes;
	size_t length;
};
static struct tape i2c_tape, spi_tape;

static void record(struct tape *tape, u8 who, u8 flags, const void *bytes, size_t n)
{
	u8 head[4] = { who, flags, n & 255, n >> 8 & 255 };

	mutex_lock(&tape->lock);
	/* A full tape begins anew: who reads wants the newest. */
	if (tape->length + sizeof(head) + n > ROOM)
		tape->length = 0;
	memcpy(tape->bytes + tape->length, head, sizeof(head));
	memcpy(tape->bytes + tape->length + sizeof(head), bytes, n);
	tape->length += sizeof(head) + n;
	mutex_unlock(&tape->lock);
}

static ssize_t tape_read(struct file *file, char __user *to, size_t n, loff_t *at)
{
	struct tape *tape = file->private_data;
	ssize_t result;

	mutex_lock(&tape->lock);
	result = simple_read_from_buffer(to, n, at, tape->bytes, tape->length);
	mutex_unlock(&tape->lock);
	return result;
}

static ssize_t tape_empty(struct file *file, const char __user *from, size_t n, loff_t *at)
{
	struct tape *tape = file->private_data;

	mutex_lock(&tape->lock);
	tape->length = 0;
	mutex_unlock(&tape->lock);
	return n;
}

static const struct file_operations tape_operations = {
	.owner = THIS_MODULE, .open = simple_open, .read = tape_read, .write = tape_empty, .llseek = default_llseek,
};

static int transfer_i2c(struct i2c_adapter *adapter, struct i2c_msg *messages, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (nak || messages[i].addr != DISPLAY)
			return -ENXIO;
		if (messages[i].flags & I2C_M_RD)
			memset(messages[i].buf, 0, messages[i].len);
		else
			record(&i2c_tape, messages[i].addr, messages[i].flags, messages[i].buf, messages[i].len);
	}
	return n;
}

static u32 functions_i2c(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm algorithm = { .master_xfer = transfer_i2c, .functionality = functions_i2c };
static struct i2c_adapter adapter = { .owner = THIS_MODULE, .name = "boothsim", .algo = &algorithm, .nr = 1 };

static int transfer_spi(struct spi_controller *controller, struct spi_device *device, struct spi_transfer *transfer)
{
	if (transfer->tx_buf)
		record(&spi_tape, device->chip_select, device->mode & 255, transfer->tx_buf, min_t(size_t, transfer->len, 65535));
	if (transfer->rx_buf)
		memset(transfer->rx_buf, 0, transfer->len);
	return 0;
}

#define N_CHANNELS 2
static unsigned int set_to[N_CHANNELS];

static int apply_pwm(struct pwm_chip *chip, struct pwm_device *pwm, const struct pwm_state *state)
{
	WRITE_ONCE(set_to[pwm->hwpwm], state->enabled && state->period ? div64_u64(state->duty_cycle * 1000, state->period) : 0);
	return 0;
}

static int light_show(struct seq_file *file, void *unused)
{
	int i;

	for (i = 0; i < N_CHANNELS; i++)
		seq_printf(file, i ? " %u\n" : "%u", i == READ_ONCE(dead) ? 0 : READ_ONCE(set_to[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(light);

static const struct pwm_ops pwm_operations = { .apply = apply_pwm, .owner = THIS_MODULE };
static struct pwm_chip pwm = { .ops = &pwm_operations, .npwm = N_CHANNELS };
static struct platform_device *platform;
static struct spi_controller *controller;
static struct dentry *folder;
/* spidev takes no device by the name "spidev": one that it knows stands for it. */
static struct spi_board_info on_spi = { .modalias = "dh2228fv", .max_speed_hz = 64000000, .bus_num = 0, .chip_select = 0 };

static int __init boothsim_init(void)
{
	int error;

	mutex_init(&i2c_tape.lock);
	mutex_init(&spi_tape.lock);
	i2c_tape.bytes = vzalloc(ROOM);
	spi_tape.bytes = vzalloc(ROOM);
	if (!i2c_tape.bytes || !spi_tape.bytes)
		return -ENOMEM;
	platform = platform_device_register_simple("boothsim", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	adapter.dev.parent = &platform->dev;
	error = i2c_add_numbered_adapter(&adapter);
	if (error)
		return error;
	controller = spi_alloc_master(&platform->dev, 0);
	if (!controller)
		return -ENOMEM;
	controller->bus_num = 0;
	controller->num_chipselect = 1;
	controller->mode_bits = SPI_CPOL | SPI_CPHA | SPI_CS_HIGH;
	controller->bits_per_word_mask = SPI_BPW_MASK(8);
	controller->transfer_one = transfer_spi;
	error = spi_register_controller(controller);
	if (error)
		return error;
	if (!spi_new_device(controller, &on_spi))
		return -ENODEV;
	pwm.dev = &platform->dev;
	error = pwmchip_add(&pwm);
	if (error)
		return error;
	folder = debugfs_create_dir("boothsim", NULL);
	debugfs_create_file("i2c", 0600, folder, &i2c_tape, &tape_operations);
	debugfs_create_file("spi", 0600, folder, &spi_tape, &tape_operations);
	debugfs_create_file("light", 0400, folder, NULL, &light_fops);
	return 0;
}

/* It is never unloaded: the machine is thrown away. */
module_init(boothsim_init);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("I2C, SPI and PWM of a booth that remember what they were told");
